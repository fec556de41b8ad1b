import Tensors

/// The keys and values of one sequence, all layers: a table of pages.
///
/// A copy shares the pages; whichever copy writes to a shared page first takes a copy of that page.
/// Full pages are never written to again, so sequences that begin alike share them for good.
package struct KeyValueCache: Sendable {
    /// Where the pages come from.
    package let pool: KeyValuePool
    /// Page `p` holds positions from `p · KeyValuePool.pagePositions` on.
    private(set) var pages: [KeyValuePage] = []
    /// Positions read so far.
    package private(set) var positions = 0

    /// An empty cache.
    package init(pool: KeyValuePool) {
        self.pool = pool
    }

    /// Pages held, shared ones included.
    package var pageCount: Int { pages.count }

    /// Bytes of the pages held, shared ones included.
    package var byteCount: Int { pages.count * pool.pageBytes }

    /// Forgets all positions from `count` on, as after drafts that were rejected. Their pages go
    /// back to the pool.
    package mutating func truncate(to count: Int) {
        precondition(0...positions ~= count, "a cache is truncated to what it holds")
        positions = count
        releaseUnused()
    }

    /// The cache of the first `count` positions, which shares this one's pages.
    ///
    /// Cost: none per position; a page that is not full is copied when it is written to.
    package func prefix(_ count: Int) -> KeyValueCache {
        var prefix = self
        prefix.truncate(to: count)
        return prefix
    }

    /// Makes room to write `count` more positions, in pages that no other cache shares.
    ///
    /// - Throws: if the pool is out of pages; this cache then has what it had.
    mutating func reserve(_ count: Int) throws(KeyValueCacheError) {
        let size = KeyValuePool.pagePositions
        let needed = (positions + count + size - 1) / size
        do {
            if count > 0, positions % size != 0, !ownsPage(positions / size) {
                let copy = try pool.page()
                copy.copy(pages[positions / size])
                pages[positions / size] = copy
            }
            while pages.count < needed { pages.append(try pool.page()) }
        } catch {
            releaseUnused()
            throw error
        }
    }

    /// Counts `count` positions, which have been written to reserved pages.
    mutating func advance(_ count: Int) {
        positions += count
        precondition(positions <= pages.count * KeyValuePool.pagePositions, "room was reserved")
    }

    /// Gives back pages without positions.
    mutating func releaseUnused() {
        let size = KeyValuePool.pagePositions
        pages.removeLast(pages.count - (positions + size - 1) / size)
    }

    private mutating func ownsPage(_ index: Int) -> Bool {
        isKnownUniquelyReferenced(&pages[index])
    }
}
