package import MoEModel
import Synchronization
package import SystemModel
import Tensors
package import Wire

/// The base station's side of the cell: accepts devices, assigns and ships experts, and knows who
/// can compute what. `RemoteExperts` asks it where to send.
///
/// Its methods may be called from any thread and do not block; what must be hashed or read runs in
/// the background at a pace of its own (`ShippingQueue`), so that shipping never delays a token.
package final class Coordinator: Sendable {
    /// What happens, for people.
    package enum Report: Sendable {
        case joined(DeviceDescription, peer: String)
        case loaded(name: String, ready: Int, of: Int, fetched: Int, cached: Int)
        /// It offers other memory than before.
        case offered(name: String, memoryBytes: Int)
        /// It has experts on disk ahead of need, of how many, and their bytes.
        case stored(name: String, experts: Int, of: Int, bytes: Int)
        case left(name: String, reason: String)
        case late(name: String)
        case refused(peer: String, reason: String)
        /// A plan is being made.
        case planning(PlacementChange.Reason)
        /// It takes the old one's place.
        case adopted(PlacementChange)
        /// It is not worth its while: the old one stays.
        case kept(PlacementChange)
    }

    /// How the base station treats its devices.
    package struct Options: Sendable {
        /// How activations travel, both ways.
        package var codec = ActivationCodec.fp32
        /// How speeds become shares of the experts.
        package var shares = MembershipState.Shares.measured
        /// What is wanted of the machines' memories.
        package var content = ContentPlan()
        /// Whether devices are given experts to keep on disk, for the day on which they need them.
        package var keepsAhead = true
        /// Announced to devices as the pace of pings. Neither side sends any yet: a device that
        /// owes an answer is found by its deadline, an idle one by the transport's keepalive.
        package var heartbeat = Duration.seconds(2)

        package init() {}
    }

    /// A connected device and how to reach it.
    struct Session {
        let control: any DeviceLink
        var bulk: (any DeviceLink)?
        let token: SessionToken
        var farewell: String?
    }

    struct State {
        var membership: MembershipState
        var sessions: [DeviceID: Session] = [:]
        var lastID: UInt32 = 0
        /// Grows with every change of the membership.
        var version = 1
        fileprivate var waiters: [Int: Waiter] = [:]
        fileprivate var lastWaiter = 0
    }

    /// Somebody who waits for a change of the membership.
    fileprivate struct Waiter {
        let isDone: @Sendable (MembershipState) -> Bool
        let resume: @Sendable () -> Void
    }

    package let options: Options
    /// Where results and losses are left for the inference thread.
    let mailbox = Mailbox<Letter>()
    /// How well devices answer.
    package let links = LinkRecords()
    /// The clock by which pings are timed; nil before the first.
    let pingClock = Mutex<(any MonotonicClock)?>(nil)
    /// What devices must know of the model.
    package let facts: ModelFacts
    /// How fast devices and the base station are.
    package let latencies: MeasuredLatencies
    /// The experts in the base station's own memory.
    package let residents: ResidentWeights
    /// Beside those, the experts that tokens visited last.
    let recents: RecentExperts
    /// What was sent to whom lately.
    package let rowLog = RowLog()
    /// What tokens visited lately.
    let recentRouting: Mutex<RecentRouting>
    /// What is foreseen of the running plan, if it was made here.
    let plan = Mutex<PlacementOutlook.Plan?>(nil)
    let clock: any MonotonicClock
    let state: Mutex<State>
    /// What devices are owed.
    let shipping: ShippingQueue
    private let report: @Sendable (Report) -> Void

    /// - Parameters:
    ///   - shape: the sizes of the model whose experts are given away.
    ///   - experts: per layer the experts in order; empty for a dense layer.
    ///   - clock: tells when answers arrive.
    ///   - report: called on the transport's threads; must not block.
    package init(
        shape: ModelShape, experts: [[ExpertWeights]], options: Options,
        clock: any MonotonicClock, report: @escaping @Sendable (Report) -> Void
    ) {
        self.options = options
        self.clock = clock
        latencies = MeasuredLatencies(shape: shape)
        let pages = HugePages()
        residents = ResidentWeights(experts, pages: pages)
        recents = RecentExperts(experts, pages: pages)
        recentRouting = Mutex(RecentRouting(shape))
        self.report = report
        facts = ModelFacts(
            hiddenSize: shape.hidden, layerCount: shape.layers,
            expertCount: max(1, shape.experts),
            activationFunction: Self.activation(of: experts).name)
        state = Mutex(
            State(
                membership: MembershipState(
                    shape: shape, shares: options.shares, content: options.content)))
        shipping = ShippingQueue(ExpertCatalog(layers: experts, facts: facts), clock: clock)
        hold(options.content)
    }

    /// What all experts of the model do between their layers of weights.
    private static func activation(of experts: [[ExpertWeights]]) -> ExpertActivation {
        experts.joined().first?.activation ?? .swiGLU
    }

    /// Takes a new connection; the transport calls it.
    package func accept(_ link: any DeviceLink) -> LinkHandler {
        let connection = Connection(coordinator: self, link: link)
        return { connection.handle($0) }
    }

    /// Deals the experts anew among the devices that are there. Between answers only.
    package func replan() {
        perform(mutate { $0.replan() })
        keepAhead()
    }

    /// Another plan takes this one's place while answers go on. Between answers only.
    package func adopt(_ content: ContentPlan) {
        hold(content)
        plan.withLock { $0 = nil }
        perform(mutate { $0.adopt(content) + $0.finishChange() })
        keepAhead()
    }

    /// Tells people.
    func tell(_ event: Report) {
        report(event)
    }

    private func hold(_ content: ContentPlan) {
        recents.limit(to: content.recentBytes)
        residents.hold(content.resident) { [weak self] in self?.recheck() }
    }

    /// Who is there and what they hold, at this moment.
    package var membership: MembershipState { state.withLock { $0.membership } }

    /// Returns once the condition holds, or the task is cancelled; it is looked at after every
    /// change.
    package func wait(until condition: @escaping @Sendable (MembershipState) -> Bool) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(isDone: condition, resume: { continuation.resume() })
                state.withLock { $0.waiters[number] = waiter }
                wake()
                if Task.isCancelled { stopWaiting(number) }
            }
        } onCancel: {
            stopWaiting(number)
        }
    }

    /// Looks again at what is waited for; for conditions that depend on more than the membership.
    package func recheck() {
        wake()
    }

    /// Says goodbye to all devices and closes their links.
    package func close(reason: String) {
        let sessions = state.withLock { $0.sessions }
        for session in sessions.values {
            if let frame = try? Goodbye(reason: reason).frame() { session.control.send(frame) }
            session.control.close()
            session.bulk?.close()
        }
    }

    /// By name, the links on which devices are asked for signs of life.
    var controlLinks: [(name: String, link: any DeviceLink)] {
        state.withLock { state in
            state.membership.members.values.compactMap { member in
                state.sessions[member.id].map { (member.description.name, $0.control) }
            }
        }
    }

    /// The link for control messages of a device that is there.
    func controlLink(of id: DeviceID) -> (any DeviceLink)? {
        state.withLock { $0.sessions[id]?.control }
    }

    /// Where pairs go at this moment; nil if nothing has changed since `version`.
    func routes(after version: Int) -> Routes? {
        state.withLock { state in
            guard state.version != version else { return nil }
            var occupants = [Routes.Occupant?](
                repeating: nil, count: state.membership.placement.slotCount)
            for member in state.membership.members.values where !member.isLate {
                guard let slot = member.slot, let session = state.sessions[member.id] else {
                    continue
                }
                occupants[slot] = Routes.Occupant(
                    id: member.id, description: member.description, link: session.control,
                    ready: member.ready)
            }
            return Routes(
                version: state.version, placement: state.membership.placement,
                occupants: occupants, cloudSlots: state.membership.cloudSlots,
                resident: state.membership.content.resident)
        }
    }

    /// The device missed a deadline; it gets no work until it answers.
    func late(_ id: DeviceID) {
        mutate { membership -> [MembershipState.Action] in
            membership.late(id)
            return []
        }
        if let name = membership.members[id]?.description.name { report(.late(name: name)) }
    }

    /// A device that was late answered: it gets work again.
    func answered(_ id: DeviceID) {
        mutate { $0.answered(id) }
    }

    /// The device sent what no working device sends; it may join again.
    func expel(_ id: DeviceID, reason: String) {
        state.withLock { state in
            state.sessions[id]?.farewell = reason
            return state.sessions[id]?.control
        }?.close()
    }
}

extension Coordinator {
    /// Changes the membership, then wakes whoever waits for such a change.
    @discardableResult
    func mutate<Result: Sendable>(
        changingRoutes: (Result) -> Bool = { _ in true },
        _ change: (inout MembershipState) -> Result
    ) -> Result {
        let result = state.withLock { state in
            let result = change(&state.membership)
            if changingRoutes(result) { state.version += 1 }
            return result
        }
        wake()
        return result
    }

    private func wake() {
        let ready = state.withLock { state in
            let ready = state.waiters.filter { $0.value.isDone(state.membership) }
            for number in ready.keys { state.waiters[number] = nil }
            return ready
        }
        for waiter in ready.values { waiter.resume() }
    }

    private func stopWaiting(_ number: Int) {
        state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
    }

    /// Tells devices what they are assigned. Threads do not get here in the order of their events,
    /// so what a device is told is always what holds now.
    func perform(_ actions: [MembershipState.Action]) {
        guard !actions.isEmpty else { return }
        state.withLock { state in
            for case .assign(let id, _, _) in actions {
                if let member = state.membership.members[id] {
                    assign(member.assigned, keeping: member.toKeep, to: id)
                }
            }
        }
    }
}
