import SystemModel
import Wire

/// The experts that a device keeps in its cache folder only, for the day on which they are
/// assigned: which are there, which are arriving, and which have no room. Nothing here ends a
/// session: what does not fit or cannot be written is left out.
///
/// Not for concurrent use: it belongs to its loader.
final class KeptBlobs {
    /// Blobs that arrive at once, so that the link is not idle between one and the next.
    private static let atOnce = 2
    /// A blob that arrives damaged this often is left out.
    private static let attempts = 3

    private let store: BlobStore
    /// Bytes of the folder for all blobs, those of assigned experts included.
    private let diskBytes: Int
    /// By blob the experts that it is; several may be alike.
    private var experts: [BlobDigest: [ExpertID]] = [:]
    /// What is to be fetched, in this order.
    private var waiting: ArraySlice<(digest: BlobDigest, byteCount: Int)> = []
    private var incoming: [BlobDigest: IncomingBlob] = [:]
    private var damaged: [BlobDigest: Int] = [:]
    /// Experts whose blobs came onto the disk, or were found there, and that were not told of yet.
    private var found: [ExpertID] = []
    /// Whether there is more to tell than `found`.
    private var isChanged = false
    /// Whether it was found that not all has room.
    private var isShort = false
    /// Experts that are wanted, and those of them that are there.
    private(set) var wantedCount = 0
    private(set) var keptCount = 0
    /// Bytes of the blobs that are there.
    private(set) var bytes = 0

    /// - Parameter diskBytes: what the device offers of its folder.
    init(store: BlobStore, diskBytes: Int) {
        self.store = store
        self.diskBytes = store.isOnDisk ? diskBytes : 0
    }

    /// Whether blobs are arriving.
    var isReceiving: Bool { !incoming.isEmpty }

    /// Whether all has come that is going to.
    var isDone: Bool { waiting.isEmpty && incoming.isEmpty }

    /// Other experts are to be kept from now on, as far as there is room beside the assigned ones.
    ///
    /// - Returns: the blobs for which there is room, with their bytes.
    func want(_ assignment: Assignment) -> [BlobDigest: Int] {
        let assigned = Dictionary(
            assignment.experts.map { ($0.sha256, $0.byteCount) },
            uniquingKeysWith: { one, _ in one })
        var room = diskBytes - assigned.values.reduce(0, +)
        var sizes: [BlobDigest: Int] = [:]
        stop()
        isShort = false
        isChanged = wantedCount > 0 || !assignment.kept.isEmpty
        (wantedCount, keptCount, bytes) = (assignment.kept.count, 0, 0)
        for manifest in assignment.kept {
            if sizes[manifest.sha256] == nil {
                // A blob that an assigned expert has takes no more room, but may be in memory only.
                let needed = assigned[manifest.sha256] == nil ? manifest.byteCount : 0
                guard needed <= room else { continue }
                room -= needed
                sizes[manifest.sha256] = manifest.byteCount
                waiting.append((manifest.sha256, manifest.byteCount))
            }
            experts[manifest.sha256, default: []].append(manifest.id)
        }
        return sizes
    }

    /// Finds those that are there already.
    func look() {
        waiting = ArraySlice(waiting.filter { !isThere($0.digest, $0.byteCount) })
    }

    /// Fetches nothing any more.
    func stop() {
        (experts, waiting, incoming, damaged, found) = ([:], [], [:], [:], [])
    }

    /// The blobs to ask for now, when nothing else is wanted of the base station.
    func next() -> [ShipmentState.Blob] {
        var blobs: [ShipmentState.Blob] = []
        while incoming.count < Self.atOnce, let (digest, byteCount) = waiting.popFirst() {
            if isThere(digest, byteCount) { continue }
            do {
                guard let blob = try store.receiveOnDisk(digest: digest, byteCount: byteCount)
                else { continue }
                incoming[digest] = blob
                // All of it may have been there before an interruption.
                if blob.received == byteCount { try complete(blob) }
                if incoming[digest] != nil { blobs.append(ShipmentState.Blob(blob)) }
            } catch {
                giveUp()
            }
        }
        if isDone, keptCount < wantedCount, !isShort { (isShort, isChanged) = (true, true) }
        return blobs
    }

    /// Bytes of a blob arrived.
    ///
    /// - Parameter isLast: whether it is whole with them.
    /// - Returns: the blob, if it is to be fetched again.
    func arrived(_ chunk: Chunk, isLast: Bool) -> ShipmentState.Blob? {
        guard let blob = incoming[chunk.digest] else { return nil }
        do {
            try blob.append(chunk.bytes[...])
            guard isLast else { return nil }
            try complete(blob)
            return incoming[chunk.digest].map(ShipmentState.Blob.init)
        } catch {
            giveUp()
            return nil
        }
    }

    /// Whether the base station is to be told something, and the experts that are there since it
    /// was last told.
    func takeNews() -> (isNews: Bool, kept: [ExpertID]) {
        defer { (found, isChanged) = ([], false) }
        return (isChanged || !found.isEmpty, found)
    }

    /// A whole blob that is wrong starts again, or is left out; otherwise it is no longer incoming.
    private func complete(_ blob: IncomingBlob) throws(WorkerError) {
        guard try blob.finish() != nil else {
            damaged[blob.digest, default: 0] += 1
            if damaged[blob.digest, default: 0] >= Self.attempts { incoming[blob.digest] = nil }
            return
        }
        incoming[blob.digest] = nil
        isHere(blob.digest, blob.byteCount)
    }

    private func isThere(_ digest: BlobDigest, _ byteCount: Int) -> Bool {
        guard store.has(digest: digest, byteCount: byteCount) else { return false }
        isHere(digest, byteCount)
        return true
    }

    private func isHere(_ digest: BlobDigest, _ byteCount: Int) {
        let ids = experts[digest] ?? []
        found += ids
        keptCount += ids.count
        bytes += byteCount
    }

    /// The folder cannot be written: what has arrived in part makes room for others.
    private func giveUp() {
        let parts = incoming.values.map { ($0.digest, $0.byteCount) }
        (waiting, incoming) = ([], [:])
        for (digest, byteCount) in parts { store.discard(digest: digest, byteCount: byteCount) }
        isChanged = true
    }
}

extension ShipmentState.Blob {
    init(_ blob: IncomingBlob) {
        self.init(digest: blob.digest, byteCount: blob.byteCount, received: blob.received)
    }
}
