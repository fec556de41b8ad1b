/// Base → device on the bulk connection: a part of a blob, the answer to a `Fetch`.
///
/// Payload: 32-byte digest of the blob, u64 offset, u32 count, 32-byte SHA-256 of the bytes, bytes.
package struct Chunk: Equatable, Sendable {
    private static let headerBytes = 2 * BlobDigest.byteCount + 12

    /// The blob.
    package let digest: BlobDigest
    /// Where the bytes begin in it.
    package let offset: Int
    /// The SHA-256 of `bytes`. The receiver computes it again before it keeps them.
    package let chunkDigest: BlobDigest
    /// The bytes, 1 to `Limits.chunkBytes` of them.
    package let bytes: [UInt8]

    /// Answers a fetch.
    package init(digest: BlobDigest, offset: Int, chunkDigest: BlobDigest, bytes: [UInt8]) {
        self.digest = digest
        self.offset = offset
        self.chunkDigest = chunkDigest
        self.bytes = bytes
    }

    /// Reads a chunk. Its hash is not verified here.
    ///
    /// - Throws: `WireError` when the frame is of another kind, an offset or count is outside its
    ///   limits, or the payload is not exactly as long as the count says.
    package init(frame: Frame) throws(WireError) {
        guard frame.kind == .chunk else {
            throw WireError(.invalid, "a chunk frame was expected, not \(frame.kind)")
        }
        var reader = ByteReader(frame.payload, of: "chunk")
        digest = BlobDigest(bytes: try reader.readBytes(BlobDigest.byteCount, "digest"))
        let start = try reader.read(UInt64.self, "offset")
        let count = try reader.readCount("count", in: 1...Limits.chunkBytes)
        chunkDigest = BlobDigest(bytes: try reader.readBytes(BlobDigest.byteCount, "chunk digest"))
        try reader.requireRemaining(count)
        bytes = reader.readRest()
        guard let start = Int(exactly: start) else {
            throw WireError(.limitExceeded, "chunk: offset is \(start)")
        }
        offset = start
        try validate()
    }

    /// The chunk in a frame.
    ///
    /// - Throws: `WireError` when offset or count is outside its limits.
    package func frame() throws(WireError) -> Frame {
        try validate()
        var writer = ByteWriter(count: Self.headerBytes + bytes.count)
        writer.write(digest.bytes)
        writer.write(UInt64(offset))
        writer.write(UInt32(bytes.count))
        writer.write(chunkDigest.bytes)
        writer.write(bytes)
        return Frame(kind: .chunk, payload: writer.finish())
    }

    private func validate() throws(WireError) {
        try Requirements.range(bytes.count, 1...Limits.chunkBytes, "chunk: count")
        try Requirements.range(offset, 0...(Limits.expertBytes - bytes.count), "chunk: offset")
    }
}
