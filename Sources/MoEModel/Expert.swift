package import Tensors

/// A gated feed-forward network, `down · (activation(gate · x) ⊙ (up · x))`, perhaps with biases.
///
/// A routed expert, a shared expert and a dense layer's feed-forward are all one of these.
package struct ExpertWeights: Sendable {
    /// What is added to the three products; all or none.
    package struct Biases: Sendable, Equatable {
        /// `[inner]`
        package let gate: [Float]
        /// `[inner]`
        package let up: [Float]
        /// `[hidden]`
        package let down: [Float]

        package init(gate: [Float], up: [Float], down: [Float]) {
            self.gate = gate
            self.up = up
            self.down = down
        }
    }

    /// `[inner × hidden]`
    package let gate: QuantizedMatrix
    /// `[inner × hidden]`
    package let up: QuantizedMatrix
    /// `[hidden × inner]`
    package let down: QuantizedMatrix
    /// Nil in most models.
    package let biases: Biases?
    package let activation: ExpertActivation

    /// - Precondition: the shapes fit together.
    package init(
        gate: QuantizedMatrix, up: QuantizedMatrix, down: QuantizedMatrix, biases: Biases? = nil,
        activation: ExpertActivation = .swiGLU
    ) {
        precondition(gate.rows == up.rows && gate.columns == up.columns, "gate and up agree")
        precondition(down.rows == gate.columns && down.columns == gate.rows, "down leads back")
        if let biases {
            precondition(
                biases.gate.count == gate.rows && biases.up.count == up.rows
                    && biases.down.count == down.rows, "a bias has one entry per output")
        }
        self.gate = gate
        self.up = up
        self.down = down
        self.biases = biases
        self.activation = activation
    }

    /// Gate, up and down.
    package var matrices: [QuantizedMatrix] { [gate, up, down] }

    /// Whether nothing of it is a mapped file's.
    package var isCopied: Bool { matrices.allSatisfy(\.isCopied) }

    /// Bytes of the matrices as stored, and of the biases in fp32.
    package var byteCount: Int {
        let biasCount = biases.map { $0.gate.count + $0.up.count + $0.down.count } ?? 0
        return gate.bytes.count + up.bytes.count + down.bytes.count + 4 * biasCount
    }

    /// This expert with its weights in memory of this process, packed as kernels read them fastest
    /// (`QuantizedMatrix.copied`).
    ///
    /// - Parameter inBackground: on the calling thread alone, which gives way to others.
    /// - Throws: `HugePageError` if there is no memory for the copy.
    package func copied(
        into pages: HugePages, inBackground: Bool = true
    ) throws(HugePageError) -> ExpertWeights {
        let copy = ExpertWeights(
            gate: try gate.copied(into: pages, inBackground: inBackground),
            up: try up.copied(into: pages, inBackground: inBackground),
            down: try down.copied(into: pages, inBackground: inBackground), biases: biases,
            activation: activation)
        for matrix in matrices { matrix.bytes.release() }
        return copy
    }

    /// `[tokens × hidden]` outputs for `[tokens × hidden]` inputs.
    ///
    /// - Complexity: 6 · hidden · inner operations per token; reads `byteCount` bytes.
    package func output(_ inputs: Activations) -> Matrix {
        outputs(of: [ExpertVisits(expert: self, rows: 0..<inputs.rows)], inputs)
    }
}

/// An expert and the rows that visit it.
struct ExpertVisits {
    let expert: ExpertWeights
    /// Rows of the inputs; several experts may share them.
    let rows: Range<Int>
}

/// The outputs of several experts, expert after expert: `[Σ rows × hidden]`.
///
/// All gates and ups are divided among threads at once, then all downs: an expert alone is little
/// work.
///
/// - Precondition: the experts have the same shapes and activation, as those of one layer do.
/// - Complexity: that of each expert.
func outputs(of visits: [ExpertVisits], _ inputs: Activations) -> Matrix {
    guard let activation = visits.first?.expert.activation else {
        return Matrix(rows: 0, columns: inputs.columns)
    }
    var inner = groupedProducts(
        [
            visits.map { ProductGroup($0.expert.gate, rows: $0.rows) },
            visits.map { ProductGroup($0.expert.up, rows: $0.rows) },
        ], inputs)
    addBiases(of: visits, to: &inner[0]) { $0.gate }
    addBiases(of: visits, to: &inner[1]) { $0.up }
    let activations = Activations(activation.apply(gate: inner[0], up: inner[1]))
    var downs: [ProductGroup] = []
    downs.reserveCapacity(visits.count)
    var first = 0
    for visit in visits {
        downs.append(ProductGroup(visit.expert.down, rows: first..<first + visit.rows.count))
        first += visit.rows.count
    }
    var outputs = groupedProducts([downs], activations)
    addBiases(of: visits, to: &outputs[0]) { $0.down }
    return outputs[0]
}

/// Adds each expert's bias to its rows of `matrix`, where it has one.
private func addBiases(
    of visits: [ExpertVisits], to matrix: inout Matrix, _ bias: (ExpertWeights.Biases) -> [Float]
) {
    var first = 0
    for visit in visits {
        let rows = first..<first + visit.rows.count
        if let biases = visit.expert.biases { matrix.add(bias(biases), toRows: rows) }
        first = rows.upperBound
    }
}
