package import Tensors

/// Why a list of tensors is no expert: one line.
package struct ExpertTensorsError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

extension ExpertWeights {
    /// The expert as a list, for shipping it: gate, up and down as stored, then biases as fp32
    /// matrices of one row where there are any.
    package var namedTensors: [(name: String, matrix: QuantizedMatrix)] {
        var tensors = [("gate", gate), ("up", up), ("down", down)]
        if let biases {
            tensors += [
                ("gate_bias", Self.row(biases.gate)), ("up_bias", Self.row(biases.up)),
                ("down_bias", Self.row(biases.down)),
            ]
        }
        return tensors.map { (name: $0.0, matrix: $0.1) }
    }

    /// An expert from such a list, in any order.
    ///
    /// - Throws: `ExpertTensorsError` for a missing, repeated or unknown name, or shapes that do
    ///   not fit together.
    package init(
        namedTensors: [(name: String, matrix: QuantizedMatrix)], activation: ExpertActivation
    ) throws(ExpertTensorsError) {
        var matrices: [String: QuantizedMatrix] = [:]
        for (name, matrix) in namedTensors {
            guard Self.tensorNames.contains(name) else {
                throw ExpertTensorsError(description: "an expert has no tensor \"\(name)\"")
            }
            guard matrices.updateValue(matrix, forKey: name) == nil else {
                throw ExpertTensorsError(description: "the expert's tensor \(name) appears twice")
            }
        }
        guard let gate = matrices["gate"], let up = matrices["up"], let down = matrices["down"]
        else { throw ExpertTensorsError(description: "an expert needs gate, up and down") }
        guard gate.rows == up.rows, gate.columns == up.columns, down.rows == gate.columns,
            down.columns == gate.rows
        else {
            throw ExpertTensorsError(
                description: "the expert's shapes do not fit: gate \(gate.rows) × \(gate.columns), "
                    + "up \(up.rows) × \(up.columns), down \(down.rows) × \(down.columns)")
        }
        let biases = try Self.biases(matrices, inner: gate.rows, hidden: gate.columns)
        self.init(gate: gate, up: up, down: down, biases: biases, activation: activation)
    }

    private static let tensorNames: Set = [
        "gate", "up", "down", "gate_bias", "up_bias", "down_bias",
    ]

    private static func biases(
        _ matrices: [String: QuantizedMatrix], inner: Int, hidden: Int
    ) throws(ExpertTensorsError) -> Biases? {
        guard matrices.count > 3 else { return nil }
        var rows: [[Float]] = []
        for (name, count) in [("gate_bias", inner), ("up_bias", inner), ("down_bias", hidden)] {
            guard let matrix = matrices[name], matrix.rows == 1, matrix.columns == count else {
                throw ExpertTensorsError(
                    description: "the expert's \(name) is missing or not 1 × \(count)")
            }
            rows.append(matrix.dequantizedRow(0))
        }
        return Biases(gate: rows[0], up: rows[1], down: rows[2])
    }

    private static func row(_ values: [Float]) -> QuantizedMatrix {
        QuantizedMatrix(Matrix(rows: 1, columns: values.count, values: values))
    }
}
