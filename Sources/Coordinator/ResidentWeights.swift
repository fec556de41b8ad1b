import Dispatch
import MoEModel
import Synchronization
import SystemModel
import Tensors

/// The experts that the base station holds in memory of its own: copied out of the model's file
/// and packed as kernels read them fastest, so that neither a full page cache nor a cold disk is in
/// their way.
///
/// Copies are made and let go in the background, one by one; until an expert's is there, the file's
/// mapping does. Where the model itself was copied (`--load huge-pages`) nothing is copied again.
package final class ResidentWeights: Sendable {
    private struct State {
        /// Grows with every change of `copies`.
        var version = 1
        var wanted: Set<ExpertID> = []
        var copies: [ExpertID: ExpertWeights] = [:]
        var isCopying = false
        var onComplete: @Sendable () -> Void = {}
    }

    private let experts: [[ExpertWeights]]
    private let pages: HugePages
    private let queue = DispatchQueue(label: "martlet.resident", qos: .utility)
    private let state = Mutex(State())

    /// - Parameter experts: per layer the experts in the model's file.
    init(_ experts: [[ExpertWeights]], pages: HugePages) {
        self.experts = experts
        self.pages = pages
    }

    /// Whether all that is to be held is.
    package var isComplete: Bool { state.withLock { $0.copies.count == $0.wanted.count } }

    /// Experts held in copies at this moment.
    package var count: Int { state.withLock { $0.copies.count } }

    /// From now on these are to be held, and no others.
    ///
    /// - Parameter onComplete: called on another thread once they are.
    func hold(_ ids: Set<ExpertID>, onComplete: @escaping @Sendable () -> Void) {
        let wanted = ids.filter { !experts[$0.layer][$0.expert].isCopied }
        let begins = state.withLock { state in
            state.wanted = wanted
            state.onComplete = onComplete
            let kept = state.copies.filter { wanted.contains($0.key) }
            if kept.count < state.copies.count { state.version += 1 }
            state.copies = kept
            defer { state.isCopying = true }
            return !state.isCopying
        }
        if begins { queue.async { [self] in copyNext() } }
    }

    /// What is held now; nil if nothing has changed since `version`.
    func copies(after version: Int) -> (version: Int, experts: [ExpertID: ExpertWeights])? {
        state.withLock { $0.version == version ? nil : ($0.version, $0.copies) }
    }

    /// Copies one expert, then lets others have the queue.
    private func copyNext() {
        let (next, onComplete) = state.withLock { state in
            let next = state.wanted.subtracting(state.copies.keys).min()
            state.isCopying = next != nil
            return (next, state.onComplete)
        }
        guard let next else { return onComplete() }
        let copy = try? experts[next.layer][next.expert].copied(into: pages)
        state.withLock { state in
            guard state.wanted.contains(next) else { return }
            // Where there is no memory for a copy, the file's mapping does.
            guard let copy else {
                state.wanted.remove(next)
                return
            }
            state.copies[next] = copy
            state.version += 1
        }
        queue.async { [self] in copyNext() }
    }
}
