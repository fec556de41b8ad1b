import OrderedJSON
import Serving
import Synchronization
import SystemModel

/// Looks at the engine and the cell now and then, and tells all dashboards what it saw.
///
/// Whoever owns the server calls `look()` about twice a second.
package final class StatusMonitor: Sendable {
    /// One event of the stream: what it is about, and its JSON.
    struct Message: Sendable {
        let name: String
        let json: [UInt8]
    }

    /// Most dashboards at once.
    static let viewersLimit = 64
    /// Looks over which rates are taken, latencies are taken, and that the history has.
    private static let (rateLooks, latencyLooks, historyLooks) = (4, 20, 120)
    /// Visits are told again after so many looks at the earliest: they are the largest message.
    static let popularityLooks = 4

    private struct State {
        var samples: [CellStatus.Sample] = []
        var history: [Double] = []
        var status = Message(name: "status", json: Array("{}".utf8))
        var places: ExpertPlaces?
        var placement = Message(name: "placement", json: Array("{}".utf8))
        var visits: [[Int]]?
        var popularity = Message(name: "popularity", json: Array("{}".utf8))
        var looksSinceVisits = 0
        /// The plan in force, and the first look that saw it.
        var plan: (since: Int?, first: CellStatus.Sample)?
        var viewers: [Int: AsyncStream<[Message]>.Continuation] = [:]
        var lastViewer = 0
        var isStopped = false
    }

    private let model: ServedModel
    private let clock: any MonotonicClock
    private let started: Duration
    private let isReady: @Sendable () -> Bool
    /// What the cell is like now.
    let cell: @Sendable () -> CellSnapshot
    private let state = Mutex(State())

    init(
        _ model: ServedModel, clock: any MonotonicClock, isReady: @escaping @Sendable () -> Bool,
        cell: @escaping @Sendable () -> CellSnapshot
    ) {
        self.model = model
        self.clock = clock
        self.isReady = isReady
        self.cell = cell
        started = clock.now
    }

    /// Takes a look and tells everybody.
    package func look() {
        let cell = cell()
        let visits = model.engine.expertVisits
        let present = cell.devices.filter { $0.state != .lost }
        let sample = CellStatus.Sample(
            time: clock.now, activity: model.engine.activity,
            shippedBytes: Dictionary(
                present.map { ($0.name, $0.shippedBytes) }, uniquingKeysWith: { $1 }))
        state.withLock { state in
            note(sample, &state)
            if state.plan == nil || state.plan?.since != cell.plan?.sinceUnixTime {
                state.plan = (cell.plan?.sinceUnixTime, sample)
            }
            let count = state.samples.count
            state.status = Message(
                name: "status",
                json: CellStatus(
                    model: model, isReady: isReady(), cell: cell, load: model.engine.load,
                    started: started, now: sample,
                    lately: state.samples[max(0, count - 1 - Self.rateLooks)],
                    before: state.samples[0], looks: state.samples,
                    planned: state.plan?.first ?? sample, history: state.history
                ).json.jsonBytes)
            let messages = news(cell.places, visits, &state) + [state.status]
            for viewer in state.viewers.values { viewer.yield(messages) }
        }
    }

    /// What is sent only when it has changed: where experts are, and how often they were visited.
    private func news(
        _ places: ExpertPlaces, _ visits: [[Int]], _ state: inout State
    ) -> [Message] {
        var messages: [Message] = []
        if state.places != places {
            state.places = places
            state.placement = Message(
                name: "placement", json: CellStatus.placement(places).jsonBytes)
            messages.append(state.placement)
        }
        state.looksSinceVisits += 1
        let isTime = state.visits == nil || state.looksSinceVisits >= Self.popularityLooks
        if isTime, state.visits != visits {
            (state.visits, state.looksSinceVisits) = (visits, 0)
            state.popularity = Message(
                name: "popularity", json: CellStatus.popularity(visits, places).jsonBytes)
            messages.append(state.popularity)
        }
        return messages
    }

    /// Everything known now, as one JSON object.
    func json() -> [UInt8] {
        let messages = state.withLock { [$0.status, $0.placement, $0.popularity] }
        let members = messages.map { Array("\"\($0.name)\":".utf8) + $0.json }
        return Array("{".utf8) + members.joined(separator: Array(",".utf8)) + Array("}".utf8)
    }

    /// What is known now and then every look's news, until the monitor stops.
    ///
    /// - Throws: `APIError` if there are too many viewers.
    func follow() throws(APIError) -> AsyncStream<[Message]> {
        // Enough to lose no placement or visits while a slow reader catches up with a few looks.
        let (stream, viewer) = AsyncStream.makeStream(
            of: [Message].self, bufferingPolicy: .bufferingNewest(64))
        let number: Int? = state.withLock { state in
            guard state.viewers.count < Self.viewersLimit, !state.isStopped else { return nil }
            state.lastViewer += 1
            state.viewers[state.lastViewer] = viewer
            viewer.yield([state.placement, state.popularity, state.status])
            return state.lastViewer
        }
        guard let number else {
            throw APIError(
                503, "\(Self.viewersLimit) dashboards are open, which is the limit",
                code: "too_many_viewers", retrySeconds: 10)
        }
        viewer.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.viewers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends all streams.
    func stop() {
        let viewers = state.withLock { state in
            state.isStopped = true
            return state.viewers.values
        }
        for viewer in viewers { viewer.finish() }
    }

    private func note(_ sample: CellStatus.Sample, _ state: inout State) {
        if let last = state.samples.last {
            let seconds = (sample.time - last.time).seconds
            let tokens = sample.activity.answerTokens - last.activity.answerTokens
            state.history.append(seconds > 0 ? Double(tokens) / seconds : 0)
        }
        state.samples.append(sample)
        if state.samples.count > Self.latencyLooks + 1 { state.samples.removeFirst() }
        if state.history.count > Self.historyLooks { state.history.removeFirst() }
    }
}
