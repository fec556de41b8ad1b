import Dispatch
import MoEModel
import Planning
import Synchronization
import SystemModel
import Tensors

/// Experts that no machine was told to hold and that the base station keeps in memory of its own
/// because tokens visited them last (ours).
///
/// An expert is read out of the model's file whole and packed as kernels read it fastest, so it is
/// no page cache's to lose: ahead, on a thread of its own, when it was predicted; else by whoever
/// visits it.
final class RecentExperts: Sendable {
    private struct State {
        var experts = RecentlyVisited<ExpertWeights>()
        /// Of what is being read ahead, so that a visit can wait for it.
        var loads: [ExpertID: DispatchSemaphore] = [:]
        var pace = PrefetchPace()
        /// Layers that are read ahead.
        var waiting = 0
    }

    /// Layers that may be read ahead at a time; what comes while so many are would come too late.
    private static let waitingLimit = 2

    private let experts: [[ExpertWeights]]
    private let pages: HugePages
    /// Bytes of the largest expert.
    private let largest: Int
    private let queue = DispatchQueue(label: "martlet.recent", qos: .userInitiated)
    private let state = Mutex(State())

    /// - Parameter experts: per layer the experts in the model's file.
    init(_ experts: [[ExpertWeights]], pages: HugePages) {
        self.experts = experts
        self.pages = pages
        largest = max(1, experts.joined().map(\.byteCount).max() ?? 0)
    }

    /// From now on at most so many bytes are held.
    func limit(to bytes: Int) { state.withLock { $0.experts.limit(to: bytes) } }

    /// Whether there is room for an expert.
    var isOn: Bool { state.withLock { $0.experts.limit >= largest } }

    /// Whether the expert's weights are here.
    func holds(_ id: ExpertID) -> Bool { state.withLock { $0.experts.value(of: id) != nil } }

    /// Whether there is reason to predict; counts as having asked.
    var isDue: Bool { state.withLock { $0.pace.isDue() } }

    /// Reads what tokens will probably visit, one after another. Returns at once.
    func expect(_ ids: [ExpertID]) {
        let missing = state.withLock { state in
            guard state.waiting < Self.waitingLimit else { return [ExpertID]() }
            let missing = state.experts.expect(ids.filter { !isCopied($0) }, bytes: bytes)
            for id in missing { state.loads[id] = DispatchSemaphore(value: 0) }
            state.pace.looked(foundMissing: !missing.isEmpty)
            state.waiting += missing.isEmpty ? 0 : 1
            return missing
        }
        guard !missing.isEmpty else { return }
        queue.async { [self] in
            ask(missing)
            for id in missing { load(id, inBackground: true) }
            state.withLock { $0.waiting -= 1 }
        }
    }

    /// These are visited next: what is here stays, and the disk is asked at once for those that are
    /// missing, each whole; for no more than there is room for, since what is being read takes as
    /// much memory beside.
    func announce(_ ids: [ExpertID]) {
        let (missing, room) = state.withLock {
            ($0.experts.announce(ids), $0.experts.limit / largest)
        }
        ask(Array(missing.prefix(room)))
    }

    private func ask(_ ids: [ExpertID]) {
        for id in ids where !isCopied(id) {
            for matrix in experts[id.layer][id.expert].matrices { matrix.bytes.fetch() }
        }
    }

    /// The weights of an expert that is visited, and whether nobody waited for the disk; nil where
    /// it has no place here.
    ///
    /// - Parameter rows: of the step.
    func weights(of id: ExpertID, rows: Int) -> (weights: ExpertWeights, wasHere: Bool)? {
        guard !isCopied(id) else { return nil }
        let (finding, load) = state.withLock { state in
            let finding = state.experts.visit(
                id, bytes: bytes(id), keeps: rows <= DeploymentProblem.mostRowsKept)
            return (finding, state.loads[id])
        }
        switch finding {
        case .held(let weights): return (weights, true)
        case .outside: return nil
        case .missing:
            ask([id])
            return self.load(id, inBackground: false).map { ($0, false) }
        case .loading:
            load?.wait()
            return state.withLock { $0.experts.value(of: id) }.map { ($0, false) }
        }
    }

    /// The caller has let go of the weights that it visited.
    func endVisits() { state.withLock { $0.experts.endVisits() } }

    /// Whether the model itself was copied out of its file.
    private func isCopied(_ id: ExpertID) -> Bool {
        experts[id.layer][id.expert].isCopied
    }

    private func bytes(_ id: ExpertID) -> Int { experts[id.layer][id.expert].byteCount }

    @discardableResult
    private func load(_ id: ExpertID, inBackground: Bool) -> ExpertWeights? {
        let copy = try? experts[id.layer][id.expert].copied(into: pages, inBackground: inBackground)
        let load = state.withLock { state in
            if let copy { state.experts.loaded(id, copy) } else { state.experts.failed(id) }
            return state.loads.removeValue(forKey: id)
        }
        load?.signal()
        return copy
    }
}
