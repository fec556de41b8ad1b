package import Tensors

/// Device → base: the answer to an `ExpertBatch`.
///
/// Payload, little-endian: u64 request, u8 codec, u32 rows, u32 hidden, u64 compute nanoseconds;
/// then the outputs.
package struct ExpertResult: Equatable, Sendable {
    private static let headerBytes = 25

    /// The batch's.
    package let requestID: UInt64
    /// How the outputs travel.
    package let codec: ActivationCodec
    /// Time the device computed, in nanoseconds; what remains of the round trip is the network's.
    package let computeNanoseconds: UInt64
    /// `[rows × hidden]`: per row of the batch `Σ weight · expert(input)` over this batch's pairs.
    package let outputs: Matrix

    /// Answers a batch. Checked when it is encoded.
    package init(
        requestID: UInt64, codec: ActivationCodec, computeNanoseconds: UInt64, outputs: Matrix
    ) {
        self.requestID = requestID
        self.codec = codec
        self.computeNanoseconds = computeNanoseconds
        self.outputs = outputs
    }

    /// Two results are equal when every field and activation is; a NaN equals nothing.
    package static func == (left: ExpertResult, right: ExpertResult) -> Bool {
        left.requestID == right.requestID && left.codec == right.codec
            && left.computeNanoseconds == right.computeNanoseconds
            && left.outputs.rows == right.outputs.rows
            && left.outputs.values == right.outputs.values
    }

    /// Reads a result.
    ///
    /// - Parameters:
    ///   - frame: of kind `expertResult`.
    ///   - model: when known, the hidden size is checked against it. Whether the rows are as many
    ///     as the batch had is for who sent the batch to check.
    /// - Throws: `WireError` when a count is outside `Limits` or disagrees with the payload's
    ///   length.
    /// - Complexity: O(payload).
    package init(frame: Frame, model: ModelFacts? = nil) throws(WireError) {
        guard frame.kind == .expertResult else {
            throw WireError(.invalid, "an expertResult frame was expected, not \(frame.kind)")
        }
        var reader = ByteReader(frame.payload, of: "expert result")
        requestID = try reader.read(UInt64.self, "request")
        codec = try ActivationCodec(
            wireCode: try reader.read(UInt8.self, "codec"), of: "expert result")
        let rows = try reader.readCount("rows", in: 1...Limits.rowsPerBatch)
        let hidden = try reader.readHidden(model)
        computeNanoseconds = try reader.read(UInt64.self, "compute nanoseconds")
        try reader.requireRemaining(codec.byteCount(rows: rows, columns: hidden))
        outputs = try codec.decode(from: &reader, rows: rows, columns: hidden)
    }

    /// The result in a frame.
    ///
    /// - Throws: `WireError` for what `init(frame:model:)` would refuse, for a frame over
    ///   `Limits.frameBytes`, and for a row that the codec cannot carry.
    /// - Complexity: O(payload).
    package func frame() throws(WireError) -> Frame {
        try Requirements.activations(outputs, of: "expert result")
        let byteCount =
            Self.headerBytes + codec.byteCount(rows: outputs.rows, columns: outputs.columns)
        try Requirements.range(byteCount, 0...(Limits.frameBytes - 1), "expert result: bytes")
        var writer = ByteWriter(count: byteCount)
        writer.write(requestID)
        writer.write(codec.wireCode)
        writer.write(UInt32(outputs.rows))
        writer.write(UInt32(outputs.columns))
        writer.write(computeNanoseconds)
        try codec.encode(outputs, to: &writer)
        return Frame(kind: .expertResult, payload: writer.finish())
    }
}
