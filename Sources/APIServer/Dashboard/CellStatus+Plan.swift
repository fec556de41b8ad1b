import OrderedJSON
import Serving
import SystemModel

extension CellStatus {
    /// The plan in force, what it foresees, and what was measured since it came; null where nothing
    /// is planned.
    var plan: JSONValue {
        guard let plan = cell.plan else { return .null }
        func optional(_ value: Double?) -> JSONValue { value.map(JSONValue.decimal) ?? .null }
        return .members([
            ("source", .text(plan.source.rawValue)),
            ("file", plan.file.map(JSONValue.text) ?? .null),
            ("since_unix_time", plan.sinceUnixTime.map(JSONValue.integer) ?? .null),
            ("under_way", .boolean(plan.isUnderWay)),
            (
                "foreseen",
                plan.foreseen.map { foreseen in
                    .members([
                        ("seconds_per_token", optional(foreseen.secondsPerToken)),
                        ("round_trips_per_token", optional(foreseen.roundTripsPerToken)),
                        ("frames_per_token", optional(foreseen.framesPerToken)),
                    ])
                } ?? .null
            ),
            ("measured", measured),
            (
                "changes",
                .array(
                    plan.changes.map {
                        .members([
                            ("unix_time", .integer($0.unixTime)), ("text", .text($0.text)),
                        ])
                    })
            ),
        ])
    }

    /// Of all tokens computed since the plan came, prompts' too; null before the first. Tokens that
    /// are computed together share round trips and frames.
    private var measured: JSONValue {
        let (old, new) = (planned.activity.cost, now.activity.cost)
        let tokens = new.tokens - old.tokens
        guard tokens > 0 else { return .null }
        func perToken(_ value: Double) -> JSONValue { .decimal(value / Double(tokens)) }
        return .members([
            ("tokens", .integer(tokens)),
            ("seconds_per_token", perToken(new.totalSeconds - old.totalSeconds)),
            ("round_trips_per_token", perToken(Double(new.roundTrips - old.roundTrips))),
            ("frames_per_token", perToken(Double(new.frames - old.frames))),
        ])
    }
}
