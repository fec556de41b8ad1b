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
    /// only one of this many is taken, until something is missing again. A prime, so that not the
    /// same layers are looked at in every step.
    static let calmInterval = 17

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

/// Asks the system for weights of a mapped file, whole, so that nobody waits for them page by page:
/// ahead, on a thread of its own, or all that a layer visits at once.
package final class WeightFetcher: ExpertFetching, Sendable {
    private struct State {
        var pace = PrefetchPace()
        var visitPace = PrefetchPace()
        var waiting = 0
    }

    /// Layers that may wait; what comes while so many do comes too late to help.
    private static let waitingLimit = 2
    /// Beyond so many bytes only one row's visits are asked for at once: little beside any memory,
    /// so that none of them is gone again before it is used.
    package static let visitedBytes = 64 << 20

    /// By layer the experts of the file.
    private let experts: [[ExpertWeights]]
    /// Whether any of them is read where it lies in the file.
    private let isMapped: Bool
    private let queue = DispatchQueue(label: "martlet.prefetch", qos: .userInitiated)
    private let state = Mutex(State())

    /// - Parameter experts: by layer the experts in this machine's file.
    package init(_ experts: [[ExpertWeights]]) {
        self.experts = experts
        isMapped = experts.contains { $0.contains { !$0.isCopied } }
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
            let found = fetchMissing(ids)
            state.withLock { state in
                state.waiting -= 1
                state.pace.looked(foundMissing: found)
            }
        }
    }

    /// Asks for what a layer is about to visit and is missing. Does not wait for it.
    ///
    /// - Parameters:
    ///   - pairs: ascending by row.
    ///   - limit: in bytes, see `visitedBytes`.
    ///   - isRead: whether the expert will be read from the file.
    package func fetchVisited(
        layer: Int, _ pairs: [ExpertPair], limit: Int = visitedBytes,
        where isRead: (ExpertID) -> Bool = { _ in true }
    ) {
        guard isMapped, state.withLock({ $0.visitPace.isDue() }) else { return }
        let perRow = pairs.prefix { $0.row == pairs[0].row }.count
        var (ids, bytes): ([ExpertID], Int) = ([], 0)
        for expert in Set(pairs.map(\.expert)).sorted() {
            let id = ExpertID(layer: layer, expert: expert)
            guard isRead(id) else { continue }
            bytes += experts[layer][expert].byteCount
            guard bytes <= limit || ids.count < perRow else { break }
            ids.append(id)
        }
        guard !ids.isEmpty else { return }
        let found = fetchMissing(ids)
        state.withLock { $0.visitPace.looked(foundMissing: found) }
    }

    /// Asks for those that are missing; returns whether any was.
    private func fetchMissing(_ ids: [ExpertID]) -> Bool {
        let missing = ids.flatMap { experts[$0.layer][$0.expert].matrices.map(\.bytes) }
            .filter { !$0.isResident }
        for bytes in missing { bytes.fetch() }
        return !missing.isEmpty
    }
}
