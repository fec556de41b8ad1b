import MoEModel
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

@testable import Coordinator

/// Experts that several devices hold, or the base station itself: whoever answers, the tokens are
/// those of one holder each.
@Suite(.timeLimit(.minutes(5))) struct ReplicaTests {
    private static func content(copies: Int, resident: Set<ExpertID> = []) -> ContentPlan {
        var content = ContentPlan()
        content.copies = copies
        content.resident = resident
        return content
    }

    /// With every codec, with two and four experts per token: the bits do not depend on how many
    /// copies there are.
    @Test(arguments: ActivationCodec.allCases)
    func copiesChangeNoBit(_ codec: ActivationCodec) async throws {
        for name in ["mixtral", "qwen3_moe"] {
            let model = try tinyModel(name)
            let ids = try ExpectedModel(name).input_ids
            var logits: [[Float]] = []
            for copies in 1...3 {
                let cell = try await TestCell(
                    model, .inProcess, codec: codec, content: Self.content(copies: copies))
                try await cell.start(devices: ["a", "b", "c"])
                let experts = cell.experts()
                // The second pass knows how fast the devices are.
                for _ in 0..<2 { logits.append(try model.logits(ids, experts).values) }
                #expect(experts.takeCosts().localPairs == 0)
                await cell.close()
            }
            #expect(logits.allSatisfy { $0 == logits[0] }, "\(name), \(codec)")
        }
    }

    /// A slow device's rows go to those that hold copies of its experts.
    @Test func rowsGoToTheFasterCopy() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess, content: Self.content(copies: 2))
        try await cell.start(devices: ["a", "b"])
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let description = try #require(
            cell.coordinator.membership.members.values.first { $0.description.name == "b" }
        ).description
        for _ in 0..<50 {
            cell.coordinator.latencies.add(
                LatencyEstimator.Sample(rows: 1, roundTripSeconds: 100, computeSeconds: 0),
                from: description)
        }
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == own)
        let cost = experts.takeCosts()
        #expect(cost.localPairs == 0)
        #expect(cost.devices["b"] == nil, "everything is with a as well, and a is faster")
        await cell.close()
    }

    /// A device is cut off before step `k`: its rows go to copies, none to the base station, and no
    /// token changes.
    @Test(arguments: ActivationCodec.allCases)
    func aCopyStepsInForALostDevice(_ codec: ActivationCodec) async throws {
        let model = try tinyModel("mixtral")
        let prompt = try ExpectedModel("mixtral").greedy_prompt
        let whole = try await TestCell(model, .inProcess, codec: codec)
        try await whole.start(devices: ["a", "b", "c"])
        let expected = try model.generate(prompt, count: 24, whole.experts())
        await whole.close()
        for lostBefore in stride(from: 0, to: 24, by: 4) {
            let cell = try await TestCell(
                model, .inProcess, codec: codec, content: Self.content(copies: 2))
            try await cell.start(devices: ["a", "b", "c"])
            let experts = cell.experts()
            var generation = Generation(
                transformer: model.transformer, selector: model.selector, experts: experts,
                clock: RealClock(), sampling: SamplingOptions(), prompt: prompt)
            var tokens: [Int] = []
            var cost = CostRecord()
            for step in 0..<24 {
                if step == lostBefore { cell.cut("b") }
                let token = try generation.next()
                tokens.append(token.id)
                cost.add(token.cost)
            }
            #expect(tokens == expected, "lost before token \(lostBefore), \(codec)")
            // Two experts of one row and slot whose copies are apart would come here.
            #expect(cost.localPairs == 0, "lost before token \(lostBefore)")
            await cell.close()
        }
    }

    /// Devices cut off at any moment, from another thread, while a batch is under way.
    @Test func cutsInTheMiddleChangeNoBit() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        for round in 0..<6 {
            let cell = try await TestCell(
                model, .inProcess, content: Self.content(copies: 1 + round % 3))
            try await cell.start(devices: ["a", "b", "c"])
            let experts = cell.experts()
            let cutting = Task { for name in ["b", "c"] { cell.cut(name) } }
            for _ in 0..<4 { #expect(try model.logits(ids, experts) == own, "round \(round)") }
            await cutting.value
            await cell.close()
        }
    }

    /// What the base station holds goes to nobody and costs no frame; a layer that it holds
    /// altogether costs no round trip.
    @Test func residentsCostNoFrame() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let shape = model.shape
        let layer = Set((0..<shape.experts).map { ExpertID(layer: 0, expert: $0) })
        let cell = try await TestCell(
            model, .inProcess, content: Self.content(copies: 2, resident: layer))
        try await cell.start(devices: ["a", "b"])
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == own)
        let cost = experts.takeCosts()
        #expect(cost.roundTrips == shape.layers - 1)
        #expect(cost.localPairs == ids.count * shape.expertsPerToken)
        #expect(cost.frames <= 2 * (shape.layers - 1))
        await cell.close()
    }

    /// Another plan takes over between tokens: the same tokens, and what moves is shipped once.
    @Test func aChangeOfPlansChangesNoToken() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let all = (0..<model.shape.layers).flatMap { layer in
            (0..<model.shape.experts).map { ExpertID(layer: layer, expert: $0) }
        }
        var (first, second) = (ContentPlan(), ContentPlan())
        first.devices = [
            "a": all.filter { $0.expert % 2 == 0 }, "b": all.filter { $0.expert % 2 == 1 },
        ]
        second.devices = [
            "a": all.filter { $0.expert % 2 == 1 }, "b": all.filter { $0.expert % 2 == 0 },
        ]
        let cell = try await TestCell(model, .inProcess, content: first)
        try await cell.start(devices: ["a", "b"])
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == own)
        cell.coordinator.adopt(second)
        // At once, while experts move: those who have them go on.
        #expect(try model.logits(ids, experts) == own)
        await cell.coordinator.wait { $0.isSettled && $0.isComplete }
        #expect(try model.logits(ids, experts) == own)
        #expect(experts.takeCosts().localPairs == 0)
        let held = cell.coordinator.membership.members.values.map(\.assigned.count)
        #expect(held == [all.count / 2, all.count / 2])
        await cell.close()
    }
}
