import Crypto
import MoEModel
package import ModelFiles
package import SystemModel
import Tensors
package import Wire

/// Brings the assigned experts onto the device: from its cache, or over the bulk connection.
///
/// Runs on one thread, step by step; it reads, hashes and writes, and so must not run where batches
/// are computed or frames are received.
package final class ExpertLoader {
    /// What one step has brought about.
    package struct Progress: Sendable {
        /// Experts that can be computed now and could not before the step.
        package var ready: [ExpertID] = []
        /// Whether the base station is to be told.
        package var isNews = false
        /// Requests to send on the bulk connection.
        package var requests: [Fetch] = []
        /// Bytes of the assignment that came over the link, and that were here already.
        package var bytesFetched = 0
        package var bytesFromCache = 0
        /// Bytes of the whole assignment.
        package var bytesAssigned = 0
        /// Experts of the assignment that are ready, and all of them.
        package var expertsReady = 0
        package var expertsAssigned = 0
        /// Whether there is news of experts that are kept on disk only.
        package var isKeptNews = false
        /// Of these, those that came onto the disk since the last news; how many are there and
        /// their bytes, how many are wanted, and whether more are coming.
        package var kept: [ExpertID] = []
        package var expertsKept = 0
        package var bytesKept = 0
        package var expertsToKeep = 0
        package var isKeeping = false
    }

    /// An expert in packed memory, and what it was made from.
    private struct Copy {
        let tensors: [TensorManifest]
        let model: ModelFacts
        let weights: ExpertWeights
    }

    /// A blob that arrives damaged this often is given up.
    private static let attempts = 3
    /// Bytes fetched after which the base station is told even if no expert became ready.
    private static let newsBytes = 4 << 20

    private let store: BlobStore
    private let holding: BlobStore.Holding
    private let computer: ExpertComputer
    /// What the device offers now, and the most that it offered the base station yet.
    private var memoryBytes: Int
    private var mostOffered: Int
    /// Where experts are copied to; nil computes with them where they are.
    private let pages: HugePages?
    private var copies: [BlobDigest: Copy] = [:]
    private var shipment = ShipmentState()
    private var assignment: Assignment?
    /// Whether it was made in this session.
    private var isAssigned = false
    private var incoming: [BlobDigest: IncomingBlob] = [:]
    private var damaged: [BlobDigest: Int] = [:]
    private let kept: KeptBlobs
    private var held: [BlobDigest: WeightBytes] = [:]
    private var counts = Progress()
    /// `counts.bytesFetched` when the base station was last told.
    private var toldBytes = 0

    /// - Parameters:
    ///   - memoryBytes: what the device offers.
    ///   - diskBytes: what the device offers of its cache folder.
    ///   - loading: how experts of a folder come into memory; what is in memory only stays there
    ///     as it is.
    package init(
        store: BlobStore, computer: ExpertComputer, memoryBytes: Int, diskBytes: Int = 0,
        loading: WeightLoading = .mapped
    ) {
        kept = KeptBlobs(store: store, diskBytes: diskBytes)
        pages = loading == .hugePages && store.isOnDisk ? HugePages() : nil
        self.store = store
        holding = store.makeHolding()
        self.computer = computer
        self.memoryBytes = memoryBytes
        mostOffered = memoryBytes
    }

    /// Bytes of the assignment's experts, whether they are here or still coming.
    package var assignedBytes: Int { assignment?.byteCount ?? 0 }

    /// The device offers other memory from now on. What it has stays until another assignment comes
    /// or it is cut.
    package func offered(_ memoryBytes: Int) {
        self.memoryBytes = memoryBytes
        mostOffered = max(mostOffered, memoryBytes)
    }

    /// What does not fit into the offer goes, from the end of the assignment; what is missing of
    /// the rest is requested again.
    ///
    /// - Returns: nil if all fits.
    /// - Throws: as `assigned`.
    package func cut() throws(WorkerError) -> Progress? {
        guard let assignment, assignment.byteCount > memoryBytes else { return nil }
        return try assigned(assignment)
    }

    /// As `cut`, while no base station is there to ask anything of.
    package func cutAlone() {
        guard let assignment, assignment.byteCount > memoryBytes else { return }
        letGo(butFor: assignment.fitting(memoryBytes))
        incoming = [:]
        shipment.want([])
    }

    /// A session begins: nothing that was asked for in the one before will arrive.
    package func begin() {
        (isAssigned, incoming, shipment) = (false, [:], ShipmentState())
        kept.stop()
    }

    /// A new assignment: what is here becomes ready, what is missing is requested, the rest goes.
    ///
    /// One that was made before the base station heard of a smaller offer is held as far as memory
    /// reaches, as the base station will see it too: another follows.
    ///
    /// - Throws: `memory` if it is more than was ever offered, `cache`, or `refused`.
    /// - Complexity: reads and hashes every cached blob of the assignment, but for those to keep.
    package func assigned(_ new: Assignment) throws(WorkerError) -> Progress {
        guard new.byteCount <= mostOffered else {
            throw WorkerError(
                .memory,
                "assigned \(new.byteCount) bytes of experts, this device offers \(memoryBytes)")
        }
        let new = new.fitting(memoryBytes)
        if isAssigned, let present = assignment, present.model == new.model,
            present.experts == new.experts
        {
            return keepBeside(new)
        }
        isAssigned = true
        letGo(butFor: new)
        (incoming, damaged) = ([:], [:])
        counts = Progress()
        counts.isNews = true
        counts.bytesAssigned = new.byteCount
        counts.expertsAssigned = new.experts.count
        try findHeld(new)
        shipment.want(try missing(new))
        return step()
    }

    /// Lets go of all experts but those of the assignment.
    private func letGo(butFor new: Assignment) {
        assignment = new
        computer.keep(Set(new.experts.map(\.id)), of: new.model)
        let digests = Set(new.experts.map(\.sha256))
        held = held.filter { digests.contains($0.key) }
        copies = copies.filter { digests.contains($0.key) }
        makeRoom(new)
    }

    /// The experts stay, others are kept beside them.
    private func keepBeside(_ new: Assignment) -> Progress {
        // Blobs to keep arrive only when no others do.
        if kept.isReceiving { shipment.want([]) }
        assignment = new
        makeRoom(new)
        // The base station may have taken them for gone meanwhile.
        counts.ready = new.experts.filter { held[$0.sha256] != nil }.map(\.id)
        counts.isNews = !counts.ready.isEmpty
        return step()
    }

    /// In the cache folder, for what is assigned and then for what is kept.
    private func makeRoom(_ new: Assignment) {
        store.assign(
            Dictionary(
                new.experts.map { ($0.sha256, $0.byteCount) }, uniquingKeysWith: { one, _ in one }),
            ahead: kept.want(new), to: holding)
        kept.look()
    }

    /// A chunk arrived.
    ///
    /// - Throws: `protocolViolation` for one that was not asked for or is damaged, `cache`.
    package func arrived(_ chunk: Chunk) throws(WorkerError) -> Progress {
        let arrival = try shipment.arrived(
            digest: chunk.digest, offset: chunk.offset, count: chunk.bytes.count)
        guard arrival != .abandoned else { return step() }
        guard Array(SHA256.hash(data: chunk.bytes)) == chunk.chunkDigest.bytes else {
            throw WorkerError(
                .protocolViolation,
                "bytes \(chunk.offset)+\(chunk.bytes.count) of blob \(chunk.digest) arrived "
                    + "damaged")
        }
        guard let blob = incoming[chunk.digest] else {
            if let again = kept.arrived(chunk, isLast: arrival == .complete) {
                shipment.wantMore(again)
            }
            return step()
        }
        try blob.append(chunk.bytes[...])
        counts.bytesFetched += chunk.bytes.count
        if arrival == .complete { try complete(blob) }
        return step()
    }

    private func step() -> Progress {
        defer { (counts.ready, counts.isNews) = ([], false) }
        let isAhead = incoming.isEmpty
        if isAhead { for blob in kept.next() { shipment.wantMore(blob) } }
        counts.requests = shipment.requests(
            window: isAhead ? ShipmentState.aheadWindow : ShipmentState.window)
        (counts.isKeptNews, counts.kept) = kept.takeNews()
        (counts.expertsKept, counts.bytesKept) = (kept.keptCount, kept.bytes)
        (counts.expertsToKeep, counts.isKeeping) = (kept.wantedCount, !kept.isDone)
        if !counts.ready.isEmpty || counts.bytesFetched - toldBytes >= Self.newsBytes {
            counts.isNews = true
        }
        if counts.isNews { toldBytes = counts.bytesFetched }
        return counts
    }

    private func findHeld(_ assignment: Assignment) throws(WorkerError) {
        for manifest in assignment.experts {
            let blob =
                held[manifest.sha256]
                ?? store.blob(digest: manifest.sha256, byteCount: manifest.byteCount)
            guard let blob else { continue }
            held[manifest.sha256] = blob
            counts.bytesFromCache += blob.count
            try makeReady(manifest, blob)
        }
    }

    /// The blobs to fetch, in order of the experts; one that several experts share, once.
    private func missing(_ assignment: Assignment) throws(WorkerError) -> [ShipmentState.Blob] {
        var blobs: [ShipmentState.Blob] = []
        for manifest in assignment.experts
        where held[manifest.sha256] == nil && incoming[manifest.sha256] == nil {
            let blob = try store.receive(digest: manifest.sha256, byteCount: manifest.byteCount)
            incoming[manifest.sha256] = blob
            if blob.received == blob.byteCount {
                try complete(blob)
                guard incoming[manifest.sha256] != nil else { continue }
            }
            blobs.append(ShipmentState.Blob(blob))
        }
        return blobs
    }

    /// Checks a whole blob; one that is damaged is fetched again from its start.
    private func complete(_ blob: IncomingBlob) throws(WorkerError) {
        guard let bytes = try blob.finish() else {
            damaged[blob.digest, default: 0] += 1
            guard damaged[blob.digest, default: 0] < Self.attempts else {
                throw WorkerError(
                    .protocolViolation,
                    "blob \(blob.digest) arrived damaged \(Self.attempts) times")
            }
            shipment.wantMore(ShipmentState.Blob(blob))
            return
        }
        held[blob.digest] = bytes
        incoming[blob.digest] = nil
        for manifest in assignment?.experts ?? [] where manifest.sha256 == blob.digest {
            try makeReady(manifest, bytes)
        }
    }

    private func makeReady(
        _ manifest: ExpertManifest, _ blob: WeightBytes
    ) throws(WorkerError) {
        guard let model = assignment?.model else { return }
        computer.add(manifest.id, try weights(manifest, blob, model))
        counts.ready.append(manifest.id)
        counts.expertsReady += 1
    }

    /// An expert as it is computed with: copied, once for all assignments that have it.
    private func weights(
        _ manifest: ExpertManifest, _ blob: WeightBytes, _ model: ModelFacts
    ) throws(WorkerError) -> ExpertWeights {
        if let copy = copies[manifest.sha256], copy.tensors == manifest.tensors,
            copy.model == model
        {
            return copy.weights
        }
        let weights = try ExpertWeights(manifest, blob: blob, model: model)
        // Where there is no memory for a copy, the mapped file does.
        guard let pages, let copy = try? weights.copied(into: pages) else { return weights }
        copies[manifest.sha256] = Copy(tensors: manifest.tensors, model: model, weights: copy)
        return copy
    }
}

extension Assignment {
    fileprivate var byteCount: Int { experts.reduce(0) { $0 + $1.byteCount } }

    /// Up to the first expert that has no room, as the base station cuts it.
    fileprivate func fitting(_ memoryBytes: Int) -> Assignment {
        var left = memoryBytes
        return Assignment(
            model: model,
            experts: Array(
                experts.prefix { expert in
                    left -= expert.byteCount
                    return left >= 0
                }), kept: kept)
    }
}
