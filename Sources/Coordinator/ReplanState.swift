import Foundation
package import Planning
import SystemModel

/// When a base station plans anew who holds which experts, and whether it goes over to what was
/// planned (methods, section 5, "Updating"; what is counted and the defaults are ours).
///
/// Decisions only. A shell glances at the cell every second or so, plans when told to, and adopts
/// when told to. A device that joined or left, or offers other memory, is answered at once;
/// everything else waits for the dwell to pass. While one change is under way no other is begun.
package struct ReplanState: Sendable {
    /// When to plan, and what a change must be worth.
    package struct Rules: Sendable {
        /// Share by which a device's time for one visit must have moved: more than estimates wander
        /// on a steady network.
        package var estimateChange = 0.15
        /// Share by which the running placement must have become slower than foreseen, on what
        /// tokens visit now.
        package var costIncrease = 0.15
        /// Share of the time that a plan must save: less is within what estimates are off by.
        package var hysteresis = 0.1
        /// Between two plans for other reasons than devices that come and go.
        package var dwell = Duration.seconds(60)
        /// In which a change must pay for its bytes: as long as a cell may be expected to stay.
        package var horizon = Duration.seconds(600)
        /// After which a plan is made anew although nothing has become worse, if tokens came.
        package var longestAge = Duration.seconds(600)
        /// A change that is not done by then no longer keeps others from beginning.
        package var longestChange = Duration.seconds(600)
        /// Nor, by then, a device that joined or left from being answered: what is on its way is
        /// planned for again.
        package var longestWait = Duration.seconds(10)
        /// For which nobody may have joined or left before that is answered: devices that start
        /// together are planned for together.
        package var gathering = Duration.seconds(1)
        /// Rows between two looks at what tokens visit: an eighth of the sample.
        package var rowsBetweenLooks = 512
        /// In which the rate of tokens is forgotten to 1/e.
        package var rateMemory = Duration.seconds(60)
        /// Shipping before any was measured, in bytes per second: 100 Mbit/s.
        package var bytesPerSecond = 12.5e6

        package init() {}
    }

    /// What a glance at the cell shows.
    package struct Glance: Sendable {
        package var now: Duration
        /// As a problem takes them; only name, memory and times are looked at.
        package var devices: [DeploymentProblem.Device]
        /// Names of the far nodes.
        package var farNodes: Set<String>
        /// Rows that went through the model since the start.
        package var rows: Int
        /// Rows that go through a layer together.
        package var rowsPerStep: Int
        /// Bytes that the present devices were shipped.
        package var bytesShipped: Int
        /// Whether a plan is still taking another's place.
        package var isChanging: Bool

        package init(
            now: Duration, devices: [DeploymentProblem.Device], farNodes: Set<String> = [],
            rows: Int, rowsPerStep: Int = 1, bytesShipped: Int, isChanging: Bool
        ) {
            self.now = now
            self.devices = devices
            self.farNodes = farNodes
            self.rows = rows
            self.rowsPerStep = rowsPerStep
            self.bytesShipped = bytesShipped
            self.isChanging = isChanging
        }

        fileprivate var names: Set<String> { farNodes.union(devices.map(\.name)) }
    }

    /// What is to be done after a glance.
    package enum Step: Sendable, Equatable {
        case nothing
        /// Tokens may visit others than they did: show the situation to `weigh`.
        case weigh
        /// Plan for the situation, which is shown to `begin` first.
        case plan(PlacementChange.Reason)
    }

    /// What is to be done with a plan.
    package enum Decision: Sendable, Equatable {
        case adopt(PlacementChange)
        case keep(PlacementChange)
        /// Not worth its bytes: plan once more, with at most so many.
        case again(moveAtMost: Int)
    }

    /// What the last decision was made on.
    private struct Basis {
        var problem: DeploymentProblem
        var farNodes: Set<String>
        /// Of what runs since.
        var foreseen: DeploymentCost
        var time: Duration
    }

    private struct Planning {
        var reason: PlacementChange.Reason
        var situation: PlacementSituation
        var farNodes: Set<String>
        var isSecond = false
    }

    private enum Phase {
        case idle
        case planning(Planning)
        case adopting
    }

    package let rules: Rules
    private var basis: Basis?
    private var phase = Phase.idle
    private var last: Glance?
    private var changingSince: Duration?
    /// Since when the same devices and far nodes are there.
    private var sameSince = Duration.zero
    /// Rows at the last look at what tokens visit.
    private var rowsLooked = 0
    /// Rows per second, smoothed.
    private(set) var rate = 0.0
    /// Measured or, before, assumed.
    private(set) var bytesPerSecond: Double

    package init(_ rules: Rules = Rules()) {
        self.rules = rules
        bytesPerSecond = rules.bytesPerSecond
    }

    /// Looks at the cell.
    package mutating func glance(_ glance: Glance) -> Step {
        measure(glance)
        if glance.names != last?.names { sameSince = glance.now }
        last = glance
        changingSince = glance.isChanging ? changingSince ?? glance.now : nil
        guard case .idle = phase else { return .nothing }
        let changing = changingSince.map { glance.now - $0 }
        if let reason = newMembers(glance) {
            let mayBegin = changing.map { $0 >= rules.longestWait } ?? true
            let isSteady = glance.now - sameSince >= rules.gathering
            return mayBegin && isSteady ? .plan(reason) : .nothing
        }
        if let changing, changing < rules.longestChange { return .nothing }
        guard let basis, glance.now - basis.time >= rules.dwell else { return .nothing }
        let moved = moved(glance, basis)
        if !moved.isEmpty { return .plan(.links(moved)) }
        if glance.rows > rowsLooked, glance.rowsPerStep != basis.problem.rowsPerStep {
            return .plan(.batch(rows: glance.rowsPerStep))
        }
        return glance.rows - rowsLooked >= rules.rowsBetweenLooks ? .weigh : .nothing
    }

    /// Looks at what tokens visit now; why to plan, if so.
    ///
    /// The times are those of the last decision: how links changed is `glance`'s.
    package mutating func weigh(_ situation: PlacementSituation) -> PlacementChange.Reason? {
        guard let last, let basis, situation.problem.names == basis.problem.names,
            situation.problem.rowsPerStep == basis.problem.rowsPerStep
        else { return nil }
        rowsLooked = last.rows
        var problem = basis.problem
        problem.sets = situation.problem.sets
        let before = problem.seconds(basis.foreseen)
        let increase = problem.seconds(problem.cost(situation.running)) / max(before, 1e-12) - 1
        if increase > rules.costIncrease { return .popularity(increase: increase) }
        return last.now - basis.time >= rules.longestAge ? .age : nil
    }

    /// A plan is about to be made.
    ///
    /// - Returns: most bytes of experts that devices may be given; nil: as many as there is room
    ///   for.
    package mutating func begin(
        _ reason: PlacementChange.Reason, _ situation: PlacementSituation
    ) -> Int? {
        phase = .planning(
            Planning(reason: reason, situation: situation, farNodes: last?.farNodes ?? []))
        let cost = situation.problem.cost(situation.running)
        let seconds = rules.horizon.seconds * busy(reason, cost)
        let limit = moveAtMost(seconds, reason, situation)
        let memory = situation.problem.devices.reduce(0) { $0 + $1.memoryBytes }
        return limit < memory ? limit : nil
    }

    /// A plan was made.
    ///
    /// - Parameters:
    ///   - homes: by the problem that was begun with.
    ///   - copies: most devices that hold an expert.
    /// - Precondition: one was begun.
    package mutating func planned(_ homes: [[ExpertHome]], copies: Int) -> Decision {
        guard case .planning(let plan) = phase else {
            preconditionFailure("a plan is begun before it is made")
        }
        let situation = plan.situation
        let before = situation.problem.cost(situation.running)
        let change = PlacementChange(
            reason: plan.reason, situation, homes, copies: copies, before: before)
        if let saved = savedSeconds(change, situation) {
            if saved > Double(movedBytes(change, situation)) / bytesPerSecond {
                decide(plan, foreseen: change.after, next: .adopting)
                return .adopt(change)
            }
            if !plan.isSecond {
                var second = plan
                second.isSecond = true
                phase = .planning(second)
                // What is worth most moves first, so half of what this pays for pays for itself.
                return .again(moveAtMost: moveAtMost(saved / 2, plan.reason, situation))
            }
        }
        let filled = PlacementChange(
            reason: plan.reason, situation, situation.running, copies: copies, before: before)
        let isFilling =
            plan.reason.isMembership
            && (situation.hasSpare || filled.bytes > 0 || situation.loadsFromDisk(filled.content))
        decide(plan, foreseen: before, next: isFilling ? .adopting : .idle)
        return isFilling ? .adopt(filled) : .keep(change)
    }

    /// No plan could be made: what runs stays, and nothing is tried again before something changes.
    package mutating func failed() {
        guard case .planning(let plan) = phase else { return }
        let cost = plan.situation.problem.cost(plan.situation.running)
        decide(plan, foreseen: cost, next: .idle)
    }

    /// The coordinator has adopted what it was told to.
    package mutating func adopted() {
        phase = .idle
    }

    /// Whether a decision was made for just these devices and far nodes, and carried out.
    package func hasDecided(for names: Set<String>) -> Bool {
        guard case .idle = phase, let basis else { return false }
        return basis.problem.names.union(basis.farNodes) == names
    }
}

extension ReplanState {
    /// Takes rates from two glances.
    private mutating func measure(_ glance: Glance) {
        guard let last, glance.now > last.now else { return }
        let seconds = (glance.now - last.now).seconds
        let share = 1 - exp(-seconds / rules.rateMemory.seconds)
        rate += share * (Double(max(0, glance.rows - last.rows)) / seconds - rate)
        let shipped = glance.bytesShipped - last.bytesShipped
        // Only what fills the time between two glances tells how fast shipping is.
        if shipped > 0, last.isChanging, glance.isChanging {
            bytesPerSecond += 0.25 * (Double(shipped) / seconds - bytesPerSecond)
        }
    }

    /// Who joined or left since the last decision, and who offers other memory.
    private func newMembers(_ glance: Glance) -> PlacementChange.Reason? {
        let known = basis?.problem.memories ?? [:]
        let present = [String: Int](
            glance.devices.map { ($0.name, $0.memoryBytes) },
            uniquingKeysWith: { first, _ in first })
        let far = basis?.farNodes ?? []
        let joined =
            present.keys.filter { known[$0] == nil } + glance.farNodes.subtracting(far)
        let left =
            known.keys.filter { present[$0] == nil } + far.subtracting(glance.farNodes)
        let resized = present.keys.filter { known[$0] != nil && known[$0] != present[$0] }
        guard !joined.isEmpty || !left.isEmpty || !resized.isEmpty else { return nil }
        return .members(
            joined: joined.sorted(), left: left.sorted(), resized: resized.sorted())
    }

    /// The devices whose time for one visit is another than at the last decision.
    private func moved(_ glance: Glance, _ basis: Basis) -> [String] {
        let known = [String: Double](
            basis.problem.devices.map { ($0.name, $0.singleVisitSeconds) },
            uniquingKeysWith: { first, _ in first })
        return glance.devices.filter { device in
            guard let before = known[device.name] else { return false }
            return abs(device.singleVisitSeconds - before) > rules.estimateChange * before
        }.map(\.name).sorted()
    }

    /// The part of the time in which tokens are being made. Devices that come and go are answered
    /// as if it were all: what is to be shipped is shipped ahead of need.
    private func busy(_ reason: PlacementChange.Reason, _ cost: DeploymentCost) -> Double {
        reason.isMembership ? 1 : min(1, rate * cost.secondsPerToken)
    }

    /// What a change saves within the horizon, in seconds; nil where that is too little.
    private func savedSeconds(
        _ change: PlacementChange, _ situation: PlacementSituation
    ) -> Double? {
        let before = situation.problem.seconds(change.before)
        let after = situation.problem.seconds(change.after)
        guard before > 0, 1 - after / before >= rules.hysteresis else { return nil }
        return rules.horizon.seconds * busy(change.reason, change.before) * (1 - after / before)
    }

    /// Bytes of experts that are given to devices whose links are in use: newcomers' are not.
    private func movedBytes(_ change: PlacementChange, _ situation: PlacementSituation) -> Int {
        let newcomers = change.reason.joined
        return zip(situation.problem.devices, change.movedBytesByDevice).reduce(0) {
            $0 + (newcomers.contains($1.0.name) ? 0 : $1.1)
        }
    }

    /// Bytes that links carry in so many seconds, and what newcomers have room for.
    private func moveAtMost(
        _ seconds: Double, _ reason: PlacementChange.Reason, _ situation: PlacementSituation
    ) -> Int {
        let newcomers = reason.joined
        return situation.problem.devices.reduce(Int(min(bytesPerSecond * seconds, 1e15))) {
            $0 + (newcomers.contains($1.name) ? $1.memoryBytes : 0)
        }
    }

    private mutating func decide(_ plan: Planning, foreseen: DeploymentCost, next: Phase) {
        basis = Basis(
            problem: plan.situation.problem, farNodes: plan.farNodes, foreseen: foreseen,
            time: last?.now ?? .zero)
        rowsLooked = last?.rows ?? 0
        phase = next
    }
}

extension DeploymentProblem {
    var names: Set<String> { Set(devices.map(\.name)) }

    fileprivate var memories: [String: Int] {
        [String: Int](
            devices.map { ($0.name, $0.memoryBytes) }, uniquingKeysWith: { first, _ in first })
    }
}

extension DeploymentProblem.Device {
    fileprivate var singleVisitSeconds: Double {
        messageSeconds + rowSeconds + visitSeconds
    }
}
