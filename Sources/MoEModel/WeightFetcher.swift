import Dispatch
import Synchronization
import Tensors

/// When it is worth while to look whether weights are in memory. Decisions only.
struct PrefetchPace: Sendable {
    /// After this many looks at which nothing was missing,
    static let calmLooks = 64
    /// only one of this many is taken, until something is missing again.
    static let calmInterval = 16

    private var calm = 0
    private var skipped = 0

    /// Whether to look this time.
    mutating func isDue() -> Bool {
        guard calm >= Self.calmLooks else { return true }
        skipped = (skipped + 1) % Self.calmInterval
        return skipped == 0
    }

    /// A look is over.
    mutating func looked(foundMissing: Bool) {
        calm = foundMissing ? 0 : calm + 1
    }
}

/// Reads weights of a mapped file into memory on a thread of its own.
final class WeightFetcher: Sendable {
    private struct State {
        var pace = PrefetchPace()
        var waiting = 0
    }

    /// Layers that may wait; what comes while so many do comes too late to help.
    private static let waitingLimit = 2

    private let queue = DispatchQueue(label: "martlet.prefetch", qos: .userInitiated)
    private let state = Mutex(State())

    /// Whether there is reason to predict and to look; counts as having asked.
    var isDue: Bool { state.withLock { $0.pace.isDue() } }

    /// Fetches what is not in memory. Returns at once.
    func fetch(_ weights: [WeightBytes]) {
        let isTaken = state.withLock { state in
            guard !weights.isEmpty, state.waiting < Self.waitingLimit else { return false }
            state.waiting += 1
            return true
        }
        guard isTaken else { return }
        queue.async { [self] in
            let missing = weights.filter { !$0.isResident }
            for bytes in missing { bytes.fetch() }
            state.withLock { state in
                state.waiting -= 1
                state.pace.looked(foundMissing: !missing.isEmpty)
            }
        }
    }
}
