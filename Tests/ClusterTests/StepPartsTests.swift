import Coordinator
import MoEModel
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

/// Steps in parts over devices: the bits of one part, with several rounds out at a time.
@Suite(.timeLimit(.minutes(5))) struct StepPartsTests {
    /// A cell's experts, asked in that many parts; `before` is called ahead of each round.
    private final class PartedExperts: ExpertExecutor {
        private let experts: RemoteExperts
        private let count: Int
        private let before: (Int) -> Void
        private var rounds = 0

        init(_ experts: RemoteExperts, parts: Int, before: @escaping (Int) -> Void = { _ in }) {
            self.experts = experts
            count = parts
            self.before = before
        }

        func mixture(layer: Int, inputs: Matrix, routing: Routing) throws -> Matrix {
            try begin(layer: layer, inputs: inputs, routing: routing).result()
        }

        func begin(layer: Int, inputs: Matrix, routing: Routing) -> MixtureUnderWay {
            before(rounds)
            rounds += 1
            return experts.begin(layer: layer, inputs: inputs, routing: routing)
        }

        func parts(rows: Int) -> StepDivision {
            StepDivision(parts: count, firstLayer: experts.parts(rows: rows).firstLayer)
        }

        func takeCosts() -> CostRecord { experts.takeCosts() }
    }

    private static func logits(
        _ model: Model, _ texts: [[Int]], _ experts: any ExpertExecutor
    ) throws -> [[Float]] {
        let pool = KeyValuePool(model.transformer)
        var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
        return try model.transformer.forward(&steps, selector: model.selector, experts: experts)
            .map(\.values)
    }

    /// Long texts, which are divided, and a token each of several.
    private enum Texts: CaseIterable {
        case long, single

        func ids() throws -> [[Int]] {
            let ids = try ExpectedModel("mixtral").input_ids
            return self == .long
                ? [ids, Array(ids.prefix(7)), Array(ids.prefix(1)), ids.reversed()]
                : ids.prefix(8).map { [$0] }
        }
    }

    @Test(arguments: Depth.allCases, Texts.allCases)
    private func partsChangeNoBit(_ depth: Depth, _ texts: Texts) async throws {
        for codec in [ActivationCodec.fp32, .int8] {
            try await Self.comparesParts(depth, codec, texts.ids())
        }
    }

    private static func comparesParts(
        _ depth: Depth, _ codec: ActivationCodec, _ texts: [[Int]]
    ) async throws {
        let model = try tinyModel("mixtral")
        let cell = try await TestCell(model, depth, codec: codec)
        try await cell.start(devices: ["a", "b", "c"])
        let experts = cell.experts()
        let whole = try logits(model, texts, PartedExperts(experts, parts: 1))
        let cost = experts.takeCosts()
        for parts in 2...4 {
            let divided = try logits(model, texts, PartedExperts(experts, parts: parts))
            let isSame = divided == whole
            #expect(isSame, "\(parts) parts")
            let costs = experts.takeCosts()
            #expect(costs.roundTrips == cost.roundTrips, "parts share a layer's round trip")
            #expect(costs.pairs == cost.pairs && costs.localPairs == 0)
            #expect(costs.frames > cost.frames)
        }
        await cell.close()
    }

    /// A device is cut off before any of a step's rounds, while another is out.
    @Test(arguments: [2, 4], Texts.allCases)
    private func aLostDeviceChangesNoBit(_ parts: Int, _ kind: Texts) async throws {
        let model = try tinyModel("mixtral")
        let texts = try kind.ids()
        let expected = try Self.logits(model, texts, LocalExperts(layers: model.experts))
        for lost in 0..<parts * model.shape.layers {
            let cell = try await TestCell(model, .inProcess)
            try await cell.start(devices: ["a", "b", "c"])
            let experts = PartedExperts(cell.experts(), parts: parts) { round in
                if round == lost { cell.cut("b") }
            }
            let isSame = try Self.logits(model, texts, experts) == expected
            #expect(isSame, "lost before round \(lost)")
            #expect(experts.takeCosts().localPairs > 0, "b's pairs were computed here")
            await cell.close()
        }
    }
}
