import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// A tiny model with all experts in this process.
struct LocalRun {
    let model: Model
    let expected: ExpectedModel

    /// The experts that compute. Those in MXFP4 are expanded: their products are of quantised
    /// inputs, which a comparison with another program's fp32 would see.
    private let experts: [[ExpertWeights]]

    init(
        _ path: String, _ expected: ExpectedModel, loading: WeightLoading = .mapped
    ) throws {
        model = try Model(ModelFile.open(path, loading: loading))
        experts = model.experts.map { $0.map { $0.gate.format == .mxfp4 ? $0.expanded : $0 } }
        self.expected = expected
    }

    /// The largest difference from the logits in a file, as a share of the largest of them.
    func worstError(from file: String) throws -> Float {
        let logits = try logits(expected.input_ids).values
        let wanted = try Fixtures.floats(file)
        try #require(logits.count == wanted.count)
        let largest = wanted.reduce(0) { max($0, abs($1)) }
        var worst: Float = 0
        for (got, right) in zip(logits, wanted) {
            let error = abs(got - right)
            // A comparison with a NaN is false, and would pass for equal.
            worst = error <= worst ? worst : error.isNaN ? .infinity : error
        }
        return worst / largest
    }

    var selector: TopKSelector {
        TopKSelector(
            model.configuration.experts
                ?? ExpertsConfiguration(count: 1, perToken: 1, inner: 1, normalizesWeights: true))
    }

    /// `[ids × vocabulary]`, read in steps of the given sizes.
    func logits(_ ids: [Int], parts: [Int]? = nil) throws -> Matrix {
        var cache = KeyValuePool(model.transformer).makeCache()
        let experts = LocalExperts(layers: experts)
        var values: [Float] = []
        var rest = ids[...]
        for part in parts ?? [ids.count] {
            values += try model.transformer.forward(
                Array(rest.prefix(part)), cache: &cache, rows: .all, selector: selector,
                experts: experts
            ).values
            rest = rest.dropFirst(part)
        }
        return Matrix(rows: ids.count, columns: model.configuration.vocabulary, values: values)
    }

    func generate(_ prompt: [Int], count: Int) throws -> [Int] {
        var generation = Generation(
            transformer: model.transformer, selector: selector,
            experts: LocalExperts(layers: experts), clock: ManualClock(),
            sampling: SamplingOptions(), prompt: prompt)
        return try (0..<count).map { _ in try generation.next().id }
    }
}

extension ExpertWeights {
    /// The same numbers as fp32.
    fileprivate var expanded: ExpertWeights {
        ExpertWeights(
            gate: gate.expanded, up: up.expanded, down: down.expanded, biases: biases,
            activation: activation)
    }
}

extension QuantizedMatrix {
    fileprivate var expanded: QuantizedMatrix {
        QuantizedMatrix(
            Matrix(
                rows: rows, columns: columns,
                values: (0..<rows).flatMap { dequantizedRow($0) }))
    }
}
