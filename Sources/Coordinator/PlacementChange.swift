package import Planning
import SystemModel

/// Another placement than the one that runs: why it was planned, and what is foreseen of both.
package struct PlacementChange: Sendable, Equatable {
    /// Why a plan was made.
    package enum Reason: Sendable, Equatable {
        /// Devices came or went, or offer other memory than they did.
        case members(joined: [String], left: [String], resized: [String] = [])
        /// These devices' measured times are others than the running placement was planned for.
        case links([String])
        /// Tokens visit other experts: by this share the running placement is slower than foreseen.
        case popularity(increase: Double)
        /// Steps are of so many rows, another number than was planned for.
        case batch(rows: Int)
        /// The running placement was planned long ago.
        case age
    }

    package let reason: Reason
    /// What the coordinator is to adopt.
    package let content: ContentPlan
    /// What a token costs as it runs, by the times and sets that were planned with.
    package let before: DeploymentCost
    /// What it would cost then.
    package let after: DeploymentCost
    /// By device of the situation, the bytes to ship of experts that it is to compute.
    package let movedBytesByDevice: [Int]
    /// By device, all bytes to ship to it, copies included.
    package let bytesByDevice: [Int]

    init(
        reason: Reason, _ situation: PlacementSituation, _ homes: [[ExpertHome]], copies: Int,
        before: DeploymentCost
    ) {
        self.reason = reason
        self.before = before
        // Devices that come and go are what copies are for; other changes keep those there are.
        content = situation.content(homes, copies: copies, shipsCopies: reason.isMembership)
        after = situation.problem.cost(homes)
        movedBytesByDevice = situation.bytesToShip(homes)
        bytesByDevice = situation.bytesToShip(content)
    }

    package var bytes: Int { bytesByDevice.reduce(0, +) }
}

extension PlacementChange.Reason {
    /// Whether it is about who is there with how much memory, which is answered at once.
    var isMembership: Bool {
        if case .members = self { true } else { false }
    }

    var joined: [String] {
        if case .members(let joined, _, _) = self { joined } else { [] }
    }

    /// For people, a few words.
    package var text: String {
        switch self {
        case .members(let joined, let left, let resized):
            [("joined", joined), ("left", left), ("changed memory", resized)].filter {
                !$0.1.isEmpty
            }
            .map { "\($0.1.joined(separator: ", ")) \($0.0)" }.joined(separator: "; ")
        case .links(let names): "\(names.joined(separator: ", ")) answer in another time"
        case .popularity(let increase):
            "other experts are wanted, which costs \(Int((100 * increase).rounded())) % more"
        case .batch(let rows): "steps are of \(rows == 1 ? "one row" : "\(rows) rows")"
        case .age: "the plan is old"
        }
    }
}
