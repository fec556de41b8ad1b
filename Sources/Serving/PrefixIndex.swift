import MoEModel

/// The caches of texts read before, so that texts which begin alike need not be read again.
///
/// Only whole pages are kept: they are never written to again, so sharing copies nothing. The least
/// recently used are forgotten first. Finding compares with every entry: O(entries · prefix).
struct PrefixIndex {
    private struct Entry {
        let ids: [Int]
        let cache: KeyValueCache
    }

    /// Most texts kept.
    static let countLimit = 128

    /// The least recently used first.
    private var entries: [Entry] = []

    var count: Int { entries.count }

    /// The longest known beginning of `ids` in whole pages, and less than all of them.
    mutating func longestPrefix(of ids: [Int]) -> KeyValueCache? {
        let size = KeyValuePool.pagePositions
        var best: (index: Int, count: Int)?
        for (index, entry) in entries.enumerated() {
            let common = zip(entry.ids, ids.dropLast()).prefix { $0 == $1 }.count
            let count = common / size * size
            if count > best?.count ?? 0 { best = (index, count) }
        }
        guard let best else { return nil }
        let entry = entries.remove(at: best.index)
        entries.append(entry)
        return entry.cache.prefix(best.count)
    }

    /// Keeps the whole pages of `cache`, in which `ids` were read.
    mutating func insert(_ ids: [Int], _ cache: KeyValueCache) {
        let size = KeyValuePool.pagePositions
        let count = min(cache.positions, ids.count) / size * size
        guard count > 0 else { return }
        let kept = Array(ids[..<count])
        entries.removeAll { kept.starts(with: $0.ids) }
        guard !entries.contains(where: { $0.ids.starts(with: kept) }) else { return }
        entries.append(Entry(ids: kept, cache: cache.prefix(count)))
        if entries.count > Self.countLimit { entries.removeFirst() }
    }

    /// Forgets the least recently used text; whether there was one.
    mutating func forgetOne() -> Bool {
        guard !entries.isEmpty else { return false }
        entries.removeFirst()
        return true
    }
}
