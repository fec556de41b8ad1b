/// Input rows of a matrix product together with their 8-bit form, quantised once and shared by all
/// matrices that read them.
package struct Activations: Sendable {
    /// The rows as given, `[rows × columns]`.
    package let matrix: Matrix
    /// The rows in blocks of 32 signed bytes; empty where the columns are not whole blocks, which
    /// no weights that need them have.
    let quantized: QuantizedRows

    /// Quantises the rows of `matrix`. Cost: one pass over it.
    package init(_ matrix: Matrix) {
        self.init(matrix, using: .detected)
    }

    init(_ matrix: Matrix, using kernels: Kernels) {
        self.matrix = matrix
        quantized =
            matrix.columns % 32 == 0
            ? kernels.quantize(matrix) : QuantizedRows(quants: [], scales: [], sums: [])
    }

    private init(_ matrix: Matrix, _ quantized: QuantizedRows) {
        self.matrix = matrix
        self.quantized = quantized
    }

    /// The rows named by `indices`, in that order; nothing is quantised again.
    package func gatheringRows(_ indices: [Int]) -> Activations {
        func gather<Element>(_ all: [Element]) -> [Element] {
            let width = rows == 0 ? 0 : all.count / rows
            var gathered: [Element] = []
            gathered.reserveCapacity(indices.count * width)
            for index in indices { gathered += all[index * width..<(index + 1) * width] }
            return gathered
        }
        return Activations(
            matrix.gatheringRows(indices),
            QuantizedRows(
                quants: gather(quantized.quants), scales: gather(quantized.scales),
                sums: gather(quantized.sums)))
    }

    /// Number of rows: the tokens.
    package var rows: Int { matrix.rows }
    /// Number of columns: the inputs of a product.
    package var columns: Int { matrix.columns }
}

/// Rows in blocks of 32 signed bytes with one fp32 scale per block: `x ≈ scale · q`.
struct QuantizedRows: Sendable, Equatable {
    /// `[rows × columns]`.
    var quants: [Int8]
    /// `[rows × columns / 32]`.
    var scales: [Float]
    /// The sum of each half block's quants, `[rows × columns / 16]`.
    var sums: [Int32]
}
