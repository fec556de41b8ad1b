package import SystemModel
package import Tensors

/// Base → device: activations of one layer and what the device's experts are to do with them.
///
/// Payload, little-endian: u64 request, u32 layer, u8 codec, u32 rows, u32 hidden, u32 pairs; the
/// activations; then per pair u32 row, u32 expert, f32 weight.
package struct ExpertBatch: Equatable, Sendable {
    private static let headerBytes = 25
    private static let pairBytes = 12

    /// Chosen by the base station; the result repeats it.
    package let requestID: UInt64
    /// The layer, from 0.
    package let layer: Int
    /// How the activations travel, here and in the result.
    package let codec: ActivationCodec
    /// `[rows × hidden]`, the normalised activations that enter the layer's experts.
    package let inputs: Matrix
    /// Which experts each row visits: sorted by row, then expert, none twice.
    package let pairs: [ExpertPair]

    /// Asks a device for a layer's mixture. Checked when it is encoded.
    package init(
        requestID: UInt64, layer: Int, codec: ActivationCodec, inputs: Matrix, pairs: [ExpertPair]
    ) {
        self.requestID = requestID
        self.layer = layer
        self.codec = codec
        self.inputs = inputs
        self.pairs = pairs
    }

    /// Two batches are equal when every field and activation is; a NaN equals nothing.
    package static func == (left: ExpertBatch, right: ExpertBatch) -> Bool {
        left.requestID == right.requestID && left.layer == right.layer
            && left.codec == right.codec && left.pairs == right.pairs
            && left.inputs.rows == right.inputs.rows && left.inputs.values == right.inputs.values
    }

    /// Reads a batch.
    ///
    /// - Parameters:
    ///   - frame: of kind `expertBatch`.
    ///   - model: when known, layer, hidden size and experts are checked against it.
    /// - Throws: `WireError` when a count is outside `Limits` or disagrees with the payload's
    ///   length, a layer, row or expert does not exist, pairs are out of order, or a weight is not
    ///   finite.
    /// - Complexity: O(payload).
    package init(frame: Frame, model: ModelFacts? = nil) throws(WireError) {
        guard frame.kind == .expertBatch else {
            throw WireError(.invalid, "an expertBatch frame was expected, not \(frame.kind)")
        }
        var reader = ByteReader(frame.payload, of: "expert batch")
        requestID = try reader.read(UInt64.self, "request")
        layer = try reader.readCount("layer", in: 0...((model?.layerCount ?? Limits.layers) - 1))
        codec = try ActivationCodec(
            wireCode: try reader.read(UInt8.self, "codec"), of: "expert batch")
        let rows = try reader.readCount("rows", in: 1...Limits.rowsPerBatch)
        let hidden = try reader.readHidden(model)
        let pairCount = try reader.readCount(
            "pairs", in: 1...min(Limits.pairsPerBatch, rows * Limits.expertsPerToken))
        // No overflow: rows × hidden × 4 is at most 2²⁹ by the limits above.
        let activationBytes = codec.byteCount(rows: rows, columns: hidden)
        try reader.requireRemaining(activationBytes + pairCount * Self.pairBytes)
        inputs = try codec.decode(from: &reader, rows: rows, columns: hidden)
        pairs = try Self.readPairs(pairCount, from: &reader)
        try Self.validate(
            pairs, rows: rows, expertCount: model?.expertCount ?? Limits.expertsPerLayer)
    }

    /// The batch in a frame.
    ///
    /// - Throws: `WireError` for what `init(frame:model:)` would refuse, for a frame over
    ///   `Limits.frameBytes` (send fewer rows), and for a row that the codec cannot carry.
    /// - Complexity: O(payload).
    package func frame() throws(WireError) -> Frame {
        let rows = inputs.rows
        try Requirements.range(layer, 0...(Limits.layers - 1), "expert batch: layer")
        try Requirements.activations(inputs, of: "expert batch")
        try Requirements.range(
            pairs.count, 1...min(Limits.pairsPerBatch, rows * Limits.expertsPerToken),
            "expert batch: pairs")
        try Self.validate(pairs, rows: rows, expertCount: Limits.expertsPerLayer)
        let byteCount =
            Self.headerBytes + codec.byteCount(rows: rows, columns: inputs.columns)
            + pairs.count * Self.pairBytes
        try Requirements.range(byteCount, 0...(Limits.frameBytes - 1), "expert batch: bytes")
        var writer = ByteWriter(count: byteCount)
        writer.write(requestID)
        writer.write(UInt32(layer))
        writer.write(codec.wireCode)
        writer.write(UInt32(rows))
        writer.write(UInt32(inputs.columns))
        writer.write(UInt32(pairs.count))
        try codec.encode(inputs, to: &writer)
        for pair in pairs {
            writer.write(UInt32(pair.row))
            writer.write(UInt32(pair.expert))
            writer.write(pair.weight)
        }
        return Frame(kind: .expertBatch, payload: writer.finish())
    }

    private static func readPairs(
        _ count: Int, from reader: inout ByteReader
    ) throws(WireError) -> [ExpertPair] {
        var pairs: [ExpertPair] = []
        pairs.reserveCapacity(count)
        for _ in 0..<count {
            pairs.append(
                ExpertPair(
                    row: Int(try reader.read(UInt32.self, "pair row")),
                    expert: Int(try reader.read(UInt32.self, "pair expert")),
                    weight: try reader.readFloat("pair weight")))
        }
        return pairs
    }

    private static func validate(
        _ pairs: [ExpertPair], rows: Int, expertCount: Int
    ) throws(WireError) {
        var last = (row: -1, expert: -1)
        for pair in pairs {
            guard (0..<rows).contains(pair.row), (0..<expertCount).contains(pair.expert) else {
                throw WireError(
                    .invalid,
                    "expert batch: a pair names row \(pair.row), expert \(pair.expert);"
                        + " there are \(rows) rows and \(expertCount) experts")
            }
            guard last < (pair.row, pair.expert) else {
                throw WireError(.invalid, "expert batch: pairs must ascend by row, then expert")
            }
            guard pair.weight.isFinite else {
                throw WireError(.nonFinite, "expert batch: row \(pair.row) has a weight not finite")
            }
            last = (pair.row, pair.expert)
        }
    }
}

extension ByteReader {
    /// The width of the activations: the model's when it is known.
    mutating func readHidden(_ model: ModelFacts?) throws(WireError) -> Int {
        try readCount(
            "hidden", in: (model?.hiddenSize ?? 1)...(model?.hiddenSize ?? Limits.hiddenSize))
    }
}

extension Requirements {
    /// A matrix of activations has a shape that may travel.
    static func activations(_ matrix: Matrix, of message: String) throws(WireError) {
        try range(matrix.rows, 1...Limits.rowsPerBatch, "\(message): rows")
        try range(matrix.columns, 1...Limits.hiddenSize, "\(message): hidden")
    }
}
