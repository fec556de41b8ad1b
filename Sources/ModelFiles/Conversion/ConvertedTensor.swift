package import Tensors

/// A tensor on its way from one file to another: its name there, its shape, and where its rows
/// come from.
package struct ConvertedTensor: Sendable {
    /// llama.cpp's name.
    package let name: String
    /// Outermost first; the last is the length of a row.
    package let dimensions: [Int]
    /// Matrices whose rows, one matrix after the other, are the tensor's rows.
    package let parts: [RowSource]

    /// - Parameter dimensions: outermost first, their product that of all parts.
    package init(name: String, dimensions: [Int], parts: [RowSource]) {
        self.name = name
        self.dimensions = dimensions
        self.parts = parts
        precondition(
            parts.allSatisfy { $0.columns == columns }
                && parts.reduce(0) { $0 + $1.rows } * columns == dimensions.reduce(1, *),
            "The parts of a tensor must be its rows.")
    }

    /// A tensor as it is, under the same name or another.
    package init(_ entry: TensorEntry, name: String? = nil, dimensions: [Int]? = nil) {
        self.init(
            name: name ?? entry.name, dimensions: dimensions ?? entry.dimensions,
            parts: [RowSource(entry)])
    }

    /// Numbers that were computed, as one row.
    package init(name: String, vector: [Float]) {
        let matrix = QuantizedMatrix(Matrix(rows: 1, columns: vector.count, values: vector))
        let part = RowSource(rows: 1, columns: vector.count, format: .f32) { matrix }
        self.init(name: name, dimensions: [vector.count], parts: [part])
    }

    /// Elements of one row.
    package var columns: Int { dimensions.last ?? 1 }

    /// The format of all its parts' numbers; nil if they differ.
    var sourceFormat: BlockFormat? {
        let formats = Set(parts.map(\.format))
        return formats.count == 1 ? formats.first : nil
    }
}

/// Rows of a tensor, made when they are needed: a matrix in a file's mapping, or a rearranged copy
/// that lives only while its rows are written.
package struct RowSource: Sendable {
    package let rows: Int
    package let columns: Int
    /// How the matrix that is made holds its numbers.
    package let format: BlockFormat
    /// Bytes of a file's mapping that `make` reads; their pages are given back afterwards.
    let mapped: WeightBytes?
    /// Heads whose two rotary halves are interleaved on the way; 0 leaves the order.
    let interleavedHeads: Int
    let make: @Sendable () -> QuantizedMatrix

    /// - Parameters:
    ///   - mapped: bytes of a mapped file (never of memory) that `make` reads.
    ///   - make: the matrix, `[rows × columns]` in `format`.
    package init(
        rows: Int, columns: Int, format: BlockFormat, mapped: WeightBytes? = nil,
        interleavedHeads: Int = 0, make: @escaping @Sendable () -> QuantizedMatrix
    ) {
        precondition(
            interleavedHeads == 0 || rows % (2 * interleavedHeads) == 0,
            "Heads have two halves of whole rows.")
        self.rows = rows
        self.columns = columns
        self.format = format
        self.mapped = mapped
        self.interleavedHeads = interleavedHeads
        self.make = make
    }

    /// All rows of a tensor that lies in a mapped file.
    ///
    /// - Parameter interleavedHeads: as of the property, which is llama.cpp's order of the rows of
    ///   queries and keys in the llama family: `[heads × 2 × half]` becomes `[heads × half × 2]`.
    package init(_ entry: TensorEntry, interleavedHeads: Int = 0) {
        let columns = entry.dimensions.last ?? 1
        let matrix = QuantizedMatrix(
            rows: entry.elementCount / columns, columns: columns, format: entry.format,
            bytes: entry.bytes)
        self.init(
            rows: matrix.rows, columns: columns, format: entry.format, mapped: entry.bytes,
            interleavedHeads: interleavedHeads
        ) { matrix }
    }

    /// Row `range` of a matrix in a mapped file.
    package init(_ matrix: QuantizedMatrix) {
        self.init(
            rows: matrix.rows, columns: matrix.columns, format: matrix.format,
            mapped: matrix.bytes
        ) { matrix }
    }

    /// The row of the made matrix that becomes row `index`.
    func origin(of index: Int) -> Int {
        guard interleavedHeads > 0 else { return index }
        let perHead = rows / interleavedHeads
        let (head, within) = index.quotientAndRemainder(dividingBy: perHead)
        return head * perHead + within % 2 * (perHead / 2) + within / 2
    }
}

/// A tensor and the format that it gets.
package struct PlannedTensor: Sendable {
    package let tensor: ConvertedTensor
    package let format: BlockFormat

    /// - Parameter format: one whose blocks fill the rows, and that martlet can write or that the
    ///   tensor already has.
    package init(_ tensor: ConvertedTensor, format: BlockFormat) {
        precondition(
            tensor.columns % format.elementsPerBlock == 0, "A row is a number of whole blocks.")
        self.tensor = tensor
        self.format = format
    }

    package var name: String { tensor.name }
    package var dimensions: [Int] { tensor.dimensions }
    package var byteCount: Int { format.byteCount(elements: dimensions.reduce(1, *)) }
    var bytesPerRow: Int { format.byteCount(elements: tensor.columns) }
    var rows: Int { byteCount / bytesPerRow }
}
