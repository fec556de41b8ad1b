import Foundation
import Synchronization
import Wire

/// The room in a cache folder: who writes which blob, whose assignments keep which, and what is
/// free.
final class CacheSpace: Sendable {
    /// The right to write one blob; given back when nobody holds it any more.
    final class Claim: Sendable {
        let digest: BlobDigest
        private let owner: CacheSpace

        fileprivate init(_ digest: BlobDigest, _ owner: CacheSpace) {
            (self.digest, self.owner) = (digest, owner)
        }

        deinit { owner.state.withLock { _ = $0.arriving.removeValue(forKey: digest) } }
    }

    private struct State {
        /// Blobs that somebody is writing at this moment, with their bytes: each by one loader.
        var arriving: [BlobDigest: Int] = [:]
        /// By holding the blobs of the present assignment.
        var kept: [ObjectIdentifier: Set<BlobDigest>] = [:]
        /// By holding those that are kept ahead of need.
        var ahead: [ObjectIdentifier: Set<BlobDigest>] = [:]
        /// Bytes that may still be claimed.
        var free: Int
    }

    private let folder: String
    /// Most bytes of all blobs; nil: as many as there is room for.
    let limit: Int?
    private let state: Mutex<State>

    init(folder: String, limit: Int?) {
        (self.folder, self.limit) = (folder, limit)
        state = Mutex(State(free: limit ?? .max))
    }

    /// The right to write a blob, or to go on with it. Nil while somebody else has it, or if there
    /// is no room.
    func claim(_ digest: BlobDigest, byteCount: Int) -> Claim? {
        let present = limit == nil ? 0 : size(path(digest, isPartial: true))
        let isTaken = state.withLock { state in
            let needed = max(0, byteCount - present)
            guard state.arriving[digest] == nil, needed <= state.free else { return false }
            state.arriving[digest] = byteCount
            if limit != nil { state.free -= needed }
            return true
        }
        return isTaken ? Claim(digest, self) : nil
    }

    /// These blobs, with their bytes, are assigned now to whoever has `holding`: they count as
    /// used, and others go if the limit says so. Those of `ahead` are to be kept ahead of need:
    /// they take the place of what nobody is assigned, and give way to what somebody is.
    ///
    /// - Complexity: looks at every file of the folder, if there is a limit.
    func assign(
        _ blobs: [BlobDigest: Int], ahead: [BlobDigest: Int], to holding: BlobStore.Holding
    ) {
        for digest in ahead.keys { utimes(path(digest), nil) }
        for digest in blobs.keys { utimes(path(digest), nil) }
        state.withLock { state in
            state.kept[ObjectIdentifier(holding)] = Set(blobs.keys)
            state.ahead[ObjectIdentifier(holding)] = Set(ahead.keys)
            guard let limit else { return }
            let entries = entries(state.arriving)
            let stays = evict(entries, for: blobs, ahead, state, limit)
            state.free = max(0, limit - stays.sum(\.byteCount))
        }
    }

    /// Deletes what has to go.
    ///
    /// - Returns: what stays.
    private func evict(
        _ entries: [CacheEviction.Entry], for blobs: [BlobDigest: Int],
        _ ahead: [BlobDigest: Int], _ state: State, _ limit: Int
    ) -> [CacheEviction.Entry] {
        let present = Dictionary(entries.map { ($0.digest, $0.byteCount) }, uniquingKeysWith: +)
        func missing(_ blobs: [BlobDigest: Int]) -> Int {
            blobs.reduce(0) { $0 + max(0, $1.value - (present[$1.key] ?? 0)) }
        }
        let kept = state.kept.values.reduce(into: Set(state.arriving.keys)) { $0.formUnion($1) }
        let spared = state.ahead.values.reduce(into: Set<BlobDigest>()) { $0.formUnion($1) }
        let needed = missing(blobs)
        var evicted = CacheEviction.evicted(
            entries, keeping: kept, sparing: spared, arriving: needed, limit: limit)
        let gone = Set(evicted)
        evicted += CacheEviction.evicted(
            entries.filter { !gone.contains($0) }, keeping: kept.union(spared),
            arriving: needed + missing(ahead), limit: limit)
        for entry in evicted {
            try? FileManager.default.removeItem(
                atPath: path(entry.digest, isPartial: entry.isPartial))
        }
        let all = Set(evicted)
        return entries.filter { !all.contains($0) }
    }

    /// A damaged blob is gone.
    func deleted(_ byteCount: Int) {
        state.withLock { if limit != nil { $0.free += byteCount } }
    }

    /// An assignment is nobody's any more.
    func end(_ holding: ObjectIdentifier) {
        state.withLock { state in
            state.kept[holding] = nil
            state.ahead[holding] = nil
        }
    }

    /// Bytes of all blobs and parts in the folder.
    var storedBytes: Int {
        entries(state.withLock { $0.arriving }).sum(\.byteCount)
    }

    /// Whether a whole blob is there; its bytes are not looked at.
    func has(_ digest: BlobDigest, byteCount: Int) -> Bool {
        size(path(digest)) == byteCount
    }

    /// A part that arrived is not wanted any more. To be called once its claim is given back.
    func discard(_ digest: BlobDigest, byteCount: Int) {
        try? FileManager.default.removeItem(atPath: path(digest, isPartial: true))
        deleted(byteCount)
    }

    /// Where a blob lies, or the part of it that has arrived.
    func path(_ digest: BlobDigest, isPartial: Bool = false) -> String {
        "\(folder)/\(digest)" + (isPartial ? Self.partialSuffix : "")
    }

    /// Bytes of a file; 0 if there is none.
    private func size(_ path: String) -> Int {
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        return (facts?[.size] as? NSNumber)?.intValue ?? 0
    }

    static let partialSuffix = ".partial"

    /// What is in the folder; of what is arriving, all that it will be.
    private func entries(_ arriving: [BlobDigest: Int]) -> [CacheEviction.Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let files = names.compactMap { name -> CacheEviction.Entry? in
            let isPartial = name.hasSuffix(Self.partialSuffix)
            let digits = isPartial ? String(name.dropLast(Self.partialSuffix.count)) : name
            guard let digest = BlobDigest(hexadecimal: digits), arriving[digest] == nil else {
                return nil
            }
            let path = "\(folder)/\(name)"
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            let date = facts?[.modificationDate] as? Date
            return CacheEviction.Entry(
                digest: digest, byteCount: size(path),
                lastAssigned: date?.timeIntervalSinceReferenceDate ?? 0, isPartial: isPartial)
        }
        return files
            + arriving.map { CacheEviction.Entry(digest: $0, byteCount: $1, lastAssigned: 0) }
    }
}

extension [CacheEviction.Entry] {
    fileprivate func sum(_ field: (Element) -> Int) -> Int { reduce(0) { $0 + field($1) } }
}
