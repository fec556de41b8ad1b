import MoEModel
import OrderedJSON
import Serving
import SystemModel

/// A server at one moment, from two looks at what its engine has done: totals, and rates between
/// the looks.
struct CellStatus {
    /// A look at the engine.
    struct Sample: Sendable {
        let time: Duration
        let activity: EngineActivity
        /// By device that was there, bytes shipped to it.
        var shippedBytes: [String: Int] = [:]
    }

    let model: ServedModel
    let isReady: Bool
    let cell: CellSnapshot
    let load: BatchEngine.Load
    let started: Duration
    let now: Sample
    /// Rates are since this one.
    let lately: Sample
    /// Latencies are since this one, so that there are enough of them.
    let before: Sample
    /// From `before` to `now`, all of them.
    let looks: [Sample]
    /// When the plan came into force.
    let planned: Sample
    /// Tokens drawn per second, oldest first, one value per look.
    let history: [Double]

    /// All but where the experts are.
    var json: JSONValue {
        .members([
            ("model", modelObject), ("ready", .boolean(isReady)),
            ("uptime_seconds", .decimal((now.time - started).seconds)),
            (
                "requests",
                .members([
                    ("running", .integer(load.running)), ("waiting", .integer(load.waiting)),
                ])
            ),
            (
                "kv_cache",
                .members([
                    ("bytes", .integer(load.memory.bytesInUse)),
                    ("limit_bytes", .integer(model.engine.memoryLimit)),
                    ("kept_prefixes", .integer(load.prefixes)),
                ])
            ),
            ("tokens", tokens), ("latency", latency), ("groups", groups),
            ("base_station", .members([("load", .decimal(rate(\.cost.computeSeconds)))])),
            ("plan", plan),
            ("devices", .array(cell.devices.map(device))),
            ("events", .array(cell.events.map(Self.event))),
        ])
    }

    private var modelObject: JSONValue {
        .members([
            ("id", .text(model.name)), ("layers", .integer(cell.places.homes.count)),
            ("experts", .integer(cell.places.homes.map(\.count).max() ?? 0)),
            ("context", .integer(model.engine.positionsLimit)),
        ])
    }

    private var tokens: JSONValue {
        .members([
            ("answer_total", .integer(now.activity.answerTokens)),
            ("prompt_total", .integer(now.activity.promptTokens)),
            ("reused_total", .integer(now.activity.reusedTokens)),
            ("answer_per_second", .decimal(rate { Double($0.answerTokens) })),
            ("prompt_per_second", .decimal(rate { Double($0.promptTokens) })),
            ("answer_per_second_history", .array(history.map(JSONValue.decimal))),
        ])
    }

    /// Medians of the last seconds, and what a step's time went to; null where nothing was done.
    private var latency: JSONValue {
        func median(_ histogram: (EngineActivity) -> DurationHistogram) -> JSONValue {
            histogram(now.activity).since(histogram(before.activity)).quantile(0.5)
                .map(JSONValue.decimal) ?? .null
        }
        let steps = now.activity.cost.steps - before.activity.cost.steps
        func perStep(_ seconds: (CostRecord) -> Double) -> JSONValue {
            guard steps > 0 else { return .null }
            let spent = seconds(now.activity.cost) - seconds(before.activity.cost)
            return .decimal(spent / Double(steps))
        }
        return .members([
            ("queue_seconds", median(\.queue)), ("first_token_seconds", median(\.firstToken)),
            ("token_seconds", median(\.laterToken)),
            ("step_computing_seconds", perStep(\.computeSeconds)),
            ("step_waiting_seconds", perStep(\.networkWaitSeconds)),
        ])
    }

    private var groups: JSONValue {
        let cost = now.activity.cost
        return .members([
            ("lost", .integer(cost.devices.values.reduce(0) { $0 + $1.lostFrames })),
            ("recomputed", .integer(cost.recomputedGroups)),
        ])
    }

    /// What grows, per second; of shares of time at most 1 is meant.
    private func rate(_ value: (EngineActivity) -> Double) -> Double {
        let seconds = (now.time - lately.time).seconds
        guard seconds > 0 else { return 0 }
        return (value(now.activity) - value(lately.activity)) / seconds
    }

    private func device(_ device: CellSnapshot.Device) -> JSONValue {
        let link = cell.links[device.name] ?? CellSnapshot.Link()
        func rate(_ value: @escaping (CostRecord.Device) -> Double) -> JSONValue {
            .decimal(self.rate { $0.cost.devices[device.name].map(value) ?? 0 })
        }
        func seconds(_ value: Double?) -> JSONValue { value.map(JSONValue.decimal) ?? .null }
        let total = now.activity.cost.devices[device.name]
        return .members([
            ("name", .text(device.name)), ("state", .text(device.state.rawValue)),
            ("is_far", .boolean(device.isFar)),
            ("reason", device.reason.map(JSONValue.text) ?? .null),
            ("memory_bytes", .integer(device.memoryBytes)), ("cores", .integer(device.cores)),
            ("instruction_set", .text(device.instructionSet)),
            ("memory_gigabytes_per_second", .decimal(device.memoryGigabytesPerSecond)),
            ("experts", .integer(device.experts)), ("ready_experts", .integer(device.readyExperts)),
            ("shipped_bytes", .integer(device.shippedBytes)),
            ("cached_bytes", .integer(device.cachedBytes)), ("shipment", shipment(device)),
            ("disk_bytes", .integer(device.diskBytes)),
            ("kept_experts", .integer(device.keptExperts)),
            ("kept_bytes", .integer(device.keptBytes)),
            ("ping_seconds", seconds(link.pingSeconds)), ("hop_seconds", seconds(link.hopSeconds)),
            ("message_seconds", seconds(link.messageSeconds)),
            ("bits_per_second", seconds(link.bitsPerSecond)),
            ("round_trip_median_seconds", seconds(link.batches.quantile(0.5))),
            ("round_trip_95_percent_seconds", seconds(link.batches.quantile(0.95))),
            ("load", rate(\.computeSeconds)), ("visits_per_second", rate { Double($0.pairs) }),
            ("downlink_bytes_per_second", rate { Double($0.downlinkBytes) }),
            ("uplink_bytes_per_second", rate { Double($0.uplinkBytes) }),
            ("downlink_bytes", .integer(total?.downlinkBytes ?? 0)),
            ("uplink_bytes", .integer(total?.uplinkBytes ?? 0)),
            ("lost_batches", .integer(total?.lostFrames ?? 0)),
        ])
    }

    /// What is on its way to a device; null for one that is gone.
    private func shipment(_ device: CellSnapshot.Device) -> JSONValue {
        guard device.state != .lost else { return .null }
        let pace = ShippingPace(
            device, looks: looks.map { ($0.time, $0.shippedBytes[device.name]) })
        return .members([
            ("done_bytes", .integer(pace.doneBytes)), ("left_bytes", .integer(pace.leftBytes)),
            ("bytes_per_second", .decimal(pace.bytesPerSecond)),
            ("seconds_left", pace.secondsLeft.map(JSONValue.decimal) ?? .null),
        ])
    }

    private static func event(_ event: CellSnapshot.Event) -> JSONValue {
        .members([
            ("number", .integer(event.number)), ("unix_time", .integer(event.unixTime)),
            ("kind", .text(event.kind.rawValue)), ("text", .text(event.text)),
        ])
    }
}
