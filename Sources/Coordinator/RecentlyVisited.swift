import SystemModel

/// Which experts stay in memory because tokens visited them last: of a fixed number of bytes,
/// whoever was visited least recently leaves first. Decisions only.
struct RecentlyVisited<Value> {
    private enum Content {
        /// Somebody reads it.
        case loading
        case held(Value)
    }

    private struct Entry {
        var content: Content
        var bytes: Int
        /// When it was visited or expected, in visits.
        var touched: Int
    }

    /// What somebody who visits an expert finds.
    enum Finding {
        case held(Value)
        /// Another thread reads it.
        case loading
        /// The caller is to read it, and to say so (`loaded`, `failed`).
        case missing
        /// There is no room for it.
        case outside
    }

    /// Most bytes that are held.
    private(set) var limit = 0
    private(set) var bytes = 0
    private var entries: [ExpertID: Entry] = [:]
    private var visits = 0
    /// What is being computed with: its bytes would not be free if it left.
    private var inUse: Set<ExpertID> = []

    var count: Int { entries.count }

    /// Whether an expert is here, or being read.
    func has(_ id: ExpertID) -> Bool { entries[id] != nil }

    /// These are visited next: none of them leaves for another.
    ///
    /// - Returns: those that are not here.
    mutating func announce(_ ids: [ExpertID]) -> [ExpertID] {
        for id in ids where has(id) {
            touch(id)
            inUse.insert(id)
        }
        return ids.filter { !has($0) }
    }

    /// From now on at most so many bytes.
    mutating func limit(to bytes: Int) {
        limit = bytes
        _ = makeRoom(0)
    }

    /// A token visits an expert.
    ///
    /// - Parameter keeps: whether it may take the place of others: a long prompt visits everything
    ///   once, and would leave nothing of what tokens come back to.
    mutating func visit(_ id: ExpertID, bytes: Int, keeps: Bool) -> Finding {
        guard let entry = entries[id] else {
            guard keeps, enter(id, bytes) else { return .outside }
            inUse.insert(id)
            return .missing
        }
        touch(id)
        inUse.insert(id)
        switch entry.content {
        case .held(let value): return .held(value)
        case .loading: return .loading
        }
    }

    /// What was visited is not computed with any more.
    mutating func endVisits() {
        inUse = []
        _ = makeRoom(0)
    }

    /// A token will probably visit these experts next; it counts as a visit.
    ///
    /// - Returns: those that the caller is to read.
    mutating func expect(_ ids: [ExpertID], bytes: (ExpertID) -> Int) -> [ExpertID] {
        // Nothing that is expected leaves for another.
        for id in ids { touch(id) }
        return ids.filter { entries[$0] == nil && enter($0, bytes($0)) }
    }

    /// What was missing was read; it may have had to leave meanwhile.
    mutating func loaded(_ id: ExpertID, _ value: Value) {
        entries[id]?.content = .held(value)
        // What was being read could not leave when the limit fell.
        _ = makeRoom(0)
    }

    /// What is held of an expert, and not being read.
    func value(of id: ExpertID) -> Value? {
        if case .held(let value)? = entries[id]?.content { value } else { nil }
    }

    /// What was missing cannot be had.
    mutating func failed(_ id: ExpertID) {
        remove(id)
    }

    private mutating func touch(_ id: ExpertID) {
        visits += 1
        entries[id]?.touched = visits
    }

    private mutating func enter(_ id: ExpertID, _ bytes: Int) -> Bool {
        guard makeRoom(bytes) else { return false }
        visits += 1
        entries[id] = Entry(content: .loading, bytes: bytes, touched: visits)
        self.bytes += bytes
        return true
    }

    /// - Complexity: O(experts held) for each that leaves.
    private mutating func makeRoom(_ needed: Int) -> Bool {
        guard needed <= limit else { return false }
        while bytes + needed > limit {
            guard let leaving = leastRecent else { return false }
            remove(leaving)
        }
        return true
    }

    private var leastRecent: ExpertID? {
        var least: (id: ExpertID?, touched: Int) = (nil, .max)
        for (id, entry) in entries where entry.touched < least.touched && !inUse.contains(id) {
            if case .held = entry.content { least = (id, entry.touched) }
        }
        return least.id
    }

    private mutating func remove(_ id: ExpertID) {
        bytes -= entries.removeValue(forKey: id)?.bytes ?? 0
    }
}
