import Dispatch
import Synchronization
package import SystemModel
import Tensors

/// Who brings experts into this machine's memory before they are visited.
package protocol ExpertFetching: AnyObject {
    /// Whether there is reason to predict and to look; counts as having asked.
    var isDue: Bool { get }

    /// Fetches what a step of `rows` rows will probably visit and is not in memory. Returns at
    /// once.
    func fetch(_ ids: [ExpertID], rows: Int)
}

/// When it is worth while to look whether weights are in memory. Decisions only.
package struct PrefetchPace: Sendable {
    /// After this many looks at which nothing was missing,
    static let calmLooks = 64
    /// only one of this many is taken, until something is missing again.
    static let calmInterval = 16

    private var calm = 0
    private var skipped = 0

    package init() {}

    /// Whether to look this time.
    package mutating func isDue() -> Bool {
        guard calm >= Self.calmLooks else { return true }
        skipped = (skipped + 1) % Self.calmInterval
        return skipped == 0
    }

    /// A look is over.
    package mutating func looked(foundMissing: Bool) {
        calm = foundMissing ? 0 : calm + 1
    }
}

/// Reads weights of a mapped file into memory on a thread of its own.
package final class WeightFetcher: ExpertFetching, Sendable {
    private struct State {
        var pace = PrefetchPace()
        var waiting = 0
    }

    /// Layers that may wait; what comes while so many do comes too late to help.
    private static let waitingLimit = 2

    /// By layer the experts of the file.
    private let experts: [[ExpertWeights]]
    private let queue = DispatchQueue(label: "martlet.prefetch", qos: .userInitiated)
    private let state = Mutex(State())

    /// - Parameter experts: by layer the experts in this machine's file.
    package init(_ experts: [[ExpertWeights]]) {
        self.experts = experts
    }

    package var isDue: Bool { state.withLock { $0.pace.isDue() } }

    /// Asks the system which of them are missing, and for those. Returns at once.
    package func fetch(_ ids: [ExpertID], rows: Int) {
        let isTaken = state.withLock { state in
            guard !ids.isEmpty else {
                state.pace.looked(foundMissing: false)
                return false
            }
            guard state.waiting < Self.waitingLimit else { return false }
            state.waiting += 1
            return true
        }
        guard isTaken else { return }
        queue.async { [self] in
            let weights = ids.flatMap { experts[$0.layer][$0.expert].matrices.map(\.bytes) }
            let missing = weights.filter { !$0.isResident }
            for bytes in missing { bytes.fetch() }
            state.withLock { state in
                state.waiting -= 1
                state.pace.looked(foundMissing: !missing.isEmpty)
            }
        }
    }
}
