import Dispatch
package import Planning
import Synchronization
package import SystemModel

/// Plans who holds which experts while a base station serves, and goes over to better plans:
/// `ReplanState` decides, this does.
///
/// Plans are made on a queue of their own, from a copy of what is known; they are adopted on the
/// inference thread, between two pieces of its work. Nobody ever waits for a plan: until there is
/// one, and if there is none, what runs goes on.
package final class Replanner: Sendable {
    /// What is planned for.
    package struct Options: Sendable {
        /// Memory of the base station for experts.
        package var residentBytes = 0
        /// Most devices that hold an expert, as far as their memory reaches.
        package var copies = 2
        /// What a calibration profile recorded; nil without one.
        package var recorded: RecordedRouting?
        package var rules = ReplanState.Rules()

        package init() {}
    }

    /// Finds homes for the experts of a situation.
    ///
    /// - Parameters: most bytes of experts that devices may be given, if there is a bound; whether
    ///   the answer is no longer wanted.
    /// - Returns: nil if it was cancelled.
    package typealias Search =
        @Sendable (PlacementSituation, Int?, @escaping @Sendable () -> Bool) -> [[ExpertHome]]?

    /// The planner's.
    package static let search: Search = { situation, moveAtMost, isCancelled in
        DeploymentPlanner.plan(
            situation.problem, from: situation.running, held: situation.held,
            moveAtMost: moveAtMost, isCancelled: isCancelled)
    }

    private let coordinator: Coordinator
    private let shape: ModelShape
    private let options: Options
    private let prior: [[RoutedSet]]?
    private let onInference: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let search: Search
    private let queue = DispatchQueue(label: "martlet.planning", qos: .utility)
    private let isBusy = Atomic(false)
    private let isCancelled = Atomic(false)
    /// Never held while the coordinator is asked anything: it asks `hasDecided` under its own lock.
    private let state: Mutex<ReplanState>

    /// - Parameters:
    ///   - onInference: runs something on the inference thread.
    ///   - search: for tests; otherwise the planner's.
    package init(
        _ coordinator: Coordinator, _ shape: ModelShape, _ options: Options,
        search: @escaping Search = Replanner.search,
        onInference: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.coordinator = coordinator
        self.shape = shape
        self.options = options
        prior = (options.recorded?.sets).map(RecentRouting.prior)
        self.search = search
        self.onInference = onInference
        state = Mutex(ReplanState(options.rules))
    }

    /// Looks at the cell, and plans if it has changed; returns at once. To be called every second
    /// or so.
    package func glance() {
        guard !isCancelled.load(ordering: .relaxed),
            !isBusy.exchange(true, ordering: .acquiring)
        else { return }
        queue.async { [self] in
            look()
            isBusy.store(false, ordering: .releasing)
        }
    }

    /// Plans no more; what is being planned is dropped.
    package func cancel() {
        isCancelled.store(true, ordering: .relaxed)
    }

    /// Whether it was decided, and carried out, what those devices that are there are to hold.
    package func hasDecided(for membership: MembershipState) -> Bool {
        let names = Set(membership.members.values.map(\.description.name))
        return state.withLock { $0.hasDecided(for: names) }
    }

    private func look() {
        let membership = coordinator.membership
        let members = membership.members.values
        let glance = ReplanState.Glance(
            now: coordinator.clock.now,
            devices: membership.devicesInOrder.map {
                PlacementSituation.device($0.description, coordinator.latencies)
            },
            farNodes: Set(members.filter(\.description.isCloud).map(\.description.name)),
            rows: coordinator.recentRouting.withLock { $0.rows },
            rowsPerStep: coordinator.recentRouting.withLock { $0.rowsPerRound },
            bytesShipped: members.reduce(0) { $0 + $1.bytesFetched },
            isChanging: membership.isChanging)
        switch state.withLock({ $0.glance(glance) }) {
        case .nothing: break
        case .weigh:
            let situation = situation(membership)
            if let reason = state.withLock({ $0.weigh(situation) }) { plan(reason, situation) }
        case .plan(let reason): plan(reason, situation(membership))
        }
    }

    private func situation(_ membership: MembershipState) -> PlacementSituation {
        let recent = coordinator.recentRouting.withLock { $0 }
        return PlacementSituation(
            membership, shape, coordinator.latencies, sets: recent.sets(shape, prior: prior),
            reuse: recent.reuse(prior: options.recorded?.reuse), rowsPerStep: recent.rowsPerRound,
            residentBytes: options.residentBytes)
    }

    private func plan(_ reason: PlacementChange.Reason, _ situation: PlacementSituation) {
        coordinator.tell(.planning(reason))
        var bytes = state.withLock { $0.begin(reason, situation) }
        while true {
            let homes = search(situation, bytes) { [weak self] in
                self?.isCancelled.load(ordering: .relaxed) ?? true
            }
            guard let homes, !isCancelled.load(ordering: .relaxed) else {
                state.withLock { $0.failed() }
                return coordinator.recheck()
            }
            switch state.withLock({ $0.planned(homes, copies: options.copies) }) {
            case .adopt(let change): return adopt(change)
            case .keep(let change):
                coordinator.tell(.kept(change))
                coordinator.keepAnew()
                return coordinator.recheck()
            case .again(let moveAtMost): bytes = moveAtMost
            }
        }
    }

    private func adopt(_ change: PlacementChange) {
        onInference { [self] in
            guard !isCancelled.load(ordering: .relaxed) else { return }
            coordinator.adopt(change.content)
            coordinator.plan.withLock {
                $0 = PlacementOutlook.Plan(
                    foreseen: change.after, reason: change.reason.text,
                    adopted: coordinator.clock.now)
            }
            state.withLock { $0.adopted() }
            coordinator.tell(.adopted(change))
            coordinator.recheck()
        }
    }
}
