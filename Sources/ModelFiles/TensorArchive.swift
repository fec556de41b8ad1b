package import Tensors

/// One named tensor of a model file: where its bytes are and how to read them.
package struct TensorEntry: Sendable {
    package let name: String
    package let format: BlockFormat
    /// Sizes, outermost first (row-major): a matrix is `[rows, columns]`.
    package let dimensions: [Int]
    /// The blocks, in the file's mapping; nothing is copied.
    package let bytes: WeightBytes

    package init(name: String, format: BlockFormat, dimensions: [Int], bytes: WeightBytes) {
        self.name = name
        self.format = format
        self.dimensions = dimensions
        self.bytes = bytes
    }

    /// The product of all dimensions.
    package var elementCount: Int { dimensions.reduce(1, *) }
}

/// A named tensor whose elements are no `BlockFormat`, such as U8; its bytes mean what its
/// architecture says.
package struct OpaqueTensor: Sendable {
    package let name: String
    /// The file's name of the element type.
    package let type: String
    /// Sizes, outermost first.
    package let dimensions: [Int]
    /// In the file's mapping; nothing is copied.
    package let bytes: WeightBytes
}

/// The tensors of one model, by name, whichever file format or number of files they came from.
package struct TensorArchive: Sendable {
    /// The path that the user gave; it opens every error message.
    package let file: String
    /// In file order.
    package let entries: [TensorEntry]
    /// Where matrices are copied to; nil leaves them in their file.
    var pages: HugePages?
    /// Whether routed experts are, too.
    var copiesExperts = true
    private let positions: [String: Int]
    private let others: [String: OpaqueTensor]

    /// - Throws: `malformed` if two tensors share a name.
    package init(
        file: String, entries: [TensorEntry], others: [OpaqueTensor] = []
    ) throws(ModelFileError) {
        self.file = file
        self.entries = entries
        self.others = Dictionary(others.map { ($0.name, $0) }) { first, _ in first }
        var positions = [String: Int](minimumCapacity: entries.count)
        for (position, entry) in entries.enumerated() {
            guard positions.updateValue(position, forKey: entry.name) == nil else {
                throw ModelFileError(
                    .malformed, file: file, "tensor \(entry.name) appears twice")
            }
        }
        self.positions = positions
    }

    /// The tensor of that name, or nil.
    package subscript(name: String) -> TensorEntry? { positions[name].map { entries[$0] } }

    /// The tensor of that name whose elements are of another kind, or nil.
    package func opaque(_ name: String) -> OpaqueTensor? { others[name] }

    /// A matrix `[rows × columns]`, in its file's blocks.
    ///
    /// - Parameter isLookedUp: whether only single rows of it are read, and so never copied.
    /// - Throws: `missing`, or `malformed` with both shapes; `cannotOpen` if there is no memory for
    ///   a copy.
    package func matrix(
        _ name: String, rows: Int, columns: Int, isLookedUp: Bool = false
    ) throws(ModelFileError) -> QuantizedMatrix {
        let entry = try require(name, [rows, columns])
        let matrix = QuantizedMatrix(
            rows: rows, columns: columns, format: entry.format, bytes: entry.bytes)
        return isLookedUp ? matrix : try loaded(matrix)
    }

    /// `count` matrices `[rows × columns]` that the file stacks in one three-dimensional tensor.
    ///
    /// - Throws: as for one.
    package func matrices(
        _ name: String, count: Int, rows: Int, columns: Int
    ) throws(ModelFileError) -> [QuantizedMatrix] {
        let entry = try require(name, [count, rows, columns])
        let stride = entry.format.byteCount(elements: rows * columns)
        var list: [QuantizedMatrix] = []
        for index in 0..<count {
            let matrix = QuantizedMatrix(
                rows: rows, columns: columns, format: entry.format,
                bytes: entry.bytes.slice(index * stride..<(index + 1) * stride))
            list.append(try loaded(matrix))
        }
        return list
    }

    /// A vector of `count` numbers as fp32, copied out.
    ///
    /// - Throws: `missing`, or `malformed` with both shapes.
    package func vector(_ name: String, count: Int) throws(ModelFileError) -> [Float] {
        let entry = try require(name, [count])
        let matrix = QuantizedMatrix(
            rows: 1, columns: count, format: entry.format, bytes: entry.bytes)
        return matrix.dequantizedRow(0)
    }

    /// The tensor of that name with exactly those dimensions (outermost first).
    private func require(
        _ name: String, _ dimensions: [Int]
    ) throws(ModelFileError) -> TensorEntry {
        guard let entry = self[name] else {
            if let other = opaque(name) {
                throw ModelFileError(
                    .unsupported, file: file,
                    "tensor \(name): element type \(other.type) is not supported; F32, F16 and "
                        + "BF16 are")
            }
            throw ModelFileError(
                .missing, file: file, "tensor \(name) \(dimensions) is not in the file")
        }
        guard entry.dimensions == dimensions else {
            throw ModelFileError(
                .malformed, file: file,
                "tensor \(name) is \(entry.dimensions), the metadata asks for \(dimensions)")
        }
        return entry
    }
}
