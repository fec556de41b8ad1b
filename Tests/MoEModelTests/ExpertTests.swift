import Foundation
import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Experts as lists of tensors, their activation, and how they are chosen.
struct ExpertTests {
    private func matrix(_ rows: Int, _ columns: Int, _ start: Float) -> QuantizedMatrix {
        QuantizedMatrix(
            Matrix(
                rows: rows, columns: columns,
                values: (0..<rows * columns).map { start + 0.25 * Float($0 % 7) }))
    }

    private func expert(biased: Bool) -> ExpertWeights {
        ExpertWeights(
            gate: matrix(3, 2, -1), up: matrix(3, 2, 0.5), down: matrix(2, 3, -0.5),
            biases: biased
                ? ExpertWeights.Biases(gate: [1, 2, 3], up: [-1, 0, 1], down: [0.5, -8]) : nil,
            activation: biased ? .clampedSwiGLU(alpha: 1.702, limit: 7) : .swiGLU)
    }

    /// A device that gets the list computes the same bits.
    @Test(arguments: [false, true])
    func namedTensorsAreTheExpert(_ biased: Bool) throws {
        let expert = expert(biased: biased)
        let list = expert.namedTensors
        #expect(list.map(\.name).prefix(3) == ["gate", "up", "down"])
        #expect(list.count == (biased ? 6 : 3))
        #expect(list.reduce(0) { $0 + $1.matrix.bytes.count } == expert.byteCount)
        let activation = try JSONDecoder().decode(
            ExpertActivation.self, from: JSONEncoder().encode(expert.activation))
        let copy = try ExpertWeights(namedTensors: list.reversed(), activation: activation)
        let inputs = Activations(Matrix(rows: 2, columns: 2, values: [1, -2, 0.5, 30]))
        #expect(copy.output(inputs) == expert.output(inputs))
    }

    @Test func wrongListsAreRefused() {
        let list = expert(biased: true).namedTensors
        for wrong in [
            Array(list.dropFirst()), Array(list.dropLast()), list + [list[0]],
            list + [(name: "extra", matrix: list[0].matrix)],
            [list[0], list[1], (name: "down", matrix: matrix(3, 2, 0))], [],
        ] {
            #expect(throws: ExpertTensorsError.self) {
                try ExpertWeights(namedTensors: wrong, activation: .swiGLU)
            }
        }
    }

    /// The kernel's form of the clamped activation is the published one.
    @Test func clampedActivationIsAsPublished() {
        let (gates, ups): ([Float], [Float]) = (
            [-9, -1, 0, 0.5, 6.9, 20], [9, -20, 0.3, -1, 7, 2]
        )
        let got = ExpertActivation.clampedSwiGLU(alpha: 1.702, limit: 7).apply(
            gate: Matrix(rows: 1, columns: 6, values: gates),
            up: Matrix(rows: 1, columns: 6, values: ups))
        for index in 0..<6 {
            let gate = min(gates[index], 7)
            let up = min(max(ups[index], -7), 7)
            let wanted = gate / (1 + exp(-1.702 * gate)) * (up + 1)
            #expect(abs(got[0, index] - wanted) <= 1e-5 * max(1, abs(wanted)))
        }
    }

    /// The mixture has the bits of experts computed one by one, whatever the number of threads.
    @Test(arguments: [1, 2, 3], [false, true])
    func mixtureIsItsExpertsInOrder(_ threads: Int, _ biased: Bool) {
        ThreadPool.shared.use(threads: threads)
        let (hidden, inner, seed) = (64, 2048, UInt64(3))
        var random = SeededGenerator(seed: seed)
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in Float.random(in: -1..<1, using: &random) }
        }
        func weights(_ rows: Int, _ columns: Int) -> QuantizedMatrix {
            QuantizedMatrix(
                Matrix(rows: rows, columns: columns, values: numbers(rows * columns)))
        }
        let experts = (0..<5).map { _ in
            ExpertWeights(
                gate: weights(inner, hidden), up: weights(inner, hidden),
                down: weights(hidden, inner),
                biases: biased
                    ? ExpertWeights.Biases(
                        gate: numbers(inner), up: numbers(inner), down: numbers(hidden)) : nil,
                activation: biased ? .clampedSwiGLU(alpha: 1.702, limit: 0.5) : .swiGLU)
        }
        for rows in [1, 7] {
            let inputs = Matrix(rows: rows, columns: hidden, values: numbers(rows * hidden))
            var pairs: [ExpertPair] = []
            for row in 0..<rows where row != 2 {
                for expert in [0, 1, 3, 4] where (expert + row) % 5 != 0 {
                    let weight = 0.25 + Float(expert) / 8
                    pairs.append(ExpertPair(row: row, expert: expert, weight: weight))
                }
            }
            var expected = Matrix(rows: rows, columns: hidden)
            for expert in experts.indices {
                for pair in pairs where pair.expert == expert {
                    let row = Activations(inputs.gatheringRows([pair.row]))
                    expected.addScaled(
                        row: pair.row, pair.weight, experts[expert].output(row), sourceRow: 0)
                }
            }
            let result = partialMixture(inputs: inputs, pairs: pairs) { experts[$0] }
            #expect(result == expected, "\(rows) rows, seed \(seed)")
        }
    }

    /// Two groups of three: the bias and the groups decide who is chosen, the scores the weights.
    @Test func groupsAndBiasDecide() {
        var configuration = ExpertsConfiguration(
            count: 6, perToken: 2, inner: 1, normalizesWeights: true)
        configuration.scoring = .sigmoid
        configuration.weightScale = 2
        configuration.groups = .init(count: 2, perToken: 1, ranking: .sumOfTwoLargest)
        let logits = Matrix(rows: 1, columns: 6, values: [3, -2, -2, 1, 1, -3])
        func chosen(_ configuration: ExpertsConfiguration) -> [Int] {
            let routing = TopKSelector(configuration).route(
                layer: 1, rows: 0..<logits.rows, routerLogits: logits)
            #expect(abs(routing.pairs.reduce(0) { $0 + $1.weight } - 2) < 1e-6)
            return routing.pairs.map(\.expert)
        }
        #expect(chosen(configuration) == [3, 4])
        configuration.groups?.ranking = .largest
        #expect(chosen(configuration) == [0, 1])
        configuration.groups = nil
        #expect(chosen(configuration) == [0, 3])
        configuration.selectionBias = [[], [0, 0, 1, 0, 0, 1]]
        #expect(chosen(configuration) == [2, 5])
    }
}
