package import Wire

/// Which blobs of a cache folder go so that others have room: those that nobody is assigned now,
/// the least recently assigned first, and after all those the ones that are kept ahead of need.
/// Decisions only. Ours.
package enum CacheEviction {
    /// A blob in the folder, whole or in part.
    package struct Entry: Sendable, Hashable {
        package let digest: BlobDigest
        /// Bytes that it takes; for one that is arriving, those that it will take.
        package let byteCount: Int
        /// When it was last assigned; only the order counts.
        package let lastAssigned: Double
        /// A part that an interrupted start left.
        package let isPartial: Bool

        package init(
            digest: BlobDigest, byteCount: Int, lastAssigned: Double, isPartial: Bool = false
        ) {
            self.digest = digest
            self.byteCount = byteCount
            self.lastAssigned = lastAssigned
            self.isPartial = isPartial
        }
    }

    /// What is to be deleted; nothing while all fits.
    ///
    /// - Parameters:
    ///   - entries: all that is in the folder.
    ///   - kept: blobs of present assignments, which stay even where the limit is exceeded.
    ///   - spared: blobs that go only when no others are left.
    ///   - arriving: bytes that come on top.
    ///   - limit: of bytes in the folder.
    /// - Returns: in the order of deletion: parts first, since they save less.
    /// - Complexity: O(n log n).
    package static func evicted(
        _ entries: [Entry], keeping kept: Set<BlobDigest>, sparing spared: Set<BlobDigest> = [],
        arriving: Int, limit: Int
    ) -> [Entry] {
        var excess = entries.reduce(arriving) { $0 + $1.byteCount } - limit
        func rank(_ entry: Entry) -> (Int, Int, Double, String) {
            (
                spared.contains(entry.digest) ? 1 : 0, entry.isPartial ? 0 : 1, entry.lastAssigned,
                entry.digest.description
            )
        }
        let candidates = entries.filter { !kept.contains($0.digest) }.sorted {
            rank($0) < rank($1)
        }
        return Array(
            candidates.prefix { entry in
                guard excess > 0 else { return false }
                excess -= entry.byteCount
                return true
            })
    }
}
