package import Wire

/// Which parts of which blobs a device asks for next: a few requests at a time, in order.
///
/// Decisions only. Answers come in the order of the requests, so a new assignment may arrive while
/// parts of the old one are still under way; those are recognised and dropped.
package struct ShipmentState: Sendable {
    /// A blob to be fetched.
    package struct Blob: Sendable, Equatable {
        package let digest: BlobDigest
        package let byteCount: Int
        /// Bytes that are here already; the first request starts there.
        package let received: Int

        package init(digest: BlobDigest, byteCount: Int, received: Int) {
            self.digest = digest
            self.byteCount = byteCount
            self.received = received
        }
    }

    /// What to do with a chunk that arrived.
    package enum Arrival: Sendable, Equatable {
        /// Append it to its blob.
        case append
        /// Append it; the blob is then whole.
        case complete
        /// Nobody wants it any more.
        case abandoned
    }

    /// Bytes of one request. Tokens that share the link and the processors wait for a few of them
    /// at most: 64 KiB are 5 ms in the air at 100 Mbit/s.
    package static let chunkBytes = 64 << 10
    /// Requests under way at once: 2 MiB, enough to fill the link while the device writes and
    /// hashes.
    package static let window = 32
    /// The same for blobs that are not needed yet: what is needed then waits for 256 KiB at most.
    package static let aheadWindow = 4

    private struct Request {
        let fetch: Fetch
        let isLast: Bool
        var isAbandoned = false
    }

    private var waiting: [Blob] = []
    private var underWay: [Request] = []

    package init() {}

    /// Whether everything that was wanted has arrived.
    package var isDone: Bool { waiting.isEmpty && underWay.allSatisfy(\.isAbandoned) }

    /// Replaces what is wanted.
    package mutating func want(_ blobs: [Blob]) {
        for index in underWay.indices { underWay[index].isAbandoned = true }
        waiting = blobs
    }

    /// Wants one more blob, after the others; or one again, since its bytes turned out wrong.
    package mutating func wantMore(_ blob: Blob) {
        waiting.append(blob)
    }

    /// The requests to send now.
    ///
    /// - Parameter window: most requests under way at once.
    package mutating func requests(window: Int = Self.window) -> [Fetch] {
        var fetches: [Fetch] = []
        while underWay.count < window, let blob = waiting.first {
            let count = min(Self.chunkBytes, blob.byteCount - blob.received)
            let fetch = Fetch(digest: blob.digest, offset: blob.received, byteCount: count)
            let next = blob.received + count
            underWay.append(Request(fetch: fetch, isLast: next == blob.byteCount))
            fetches.append(fetch)
            if next == blob.byteCount {
                waiting.removeFirst()
            } else {
                waiting[0] = Blob(
                    digest: blob.digest, byteCount: blob.byteCount, received: next)
            }
        }
        return fetches
    }

    /// A chunk arrived.
    ///
    /// - Throws: `protocolViolation` if it is not the answer to the oldest request.
    package mutating func arrived(
        digest: BlobDigest, offset: Int, count: Int
    ) throws(WorkerError) -> Arrival {
        guard let request = underWay.first, request.fetch.digest == digest,
            request.fetch.offset == offset, request.fetch.byteCount == count
        else {
            throw WorkerError(
                .protocolViolation,
                "the base station sent bytes \(offset)+\(count) of blob \(digest), which were "
                    + "not asked for next")
        }
        underWay.removeFirst()
        if request.isAbandoned { return .abandoned }
        return request.isLast ? .complete : .append
    }
}
