import Coordinator
import MoEModel
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

/// Distributed equals local: bit for bit with two experts per token, up to rounding with more, and
/// whatever happens to a device.
@Suite(.timeLimit(.minutes(5))) struct DistributedTests {
    static let cases = Depth.allCases.flatMap { depth in
        [1, 2, 3].map { (depth, $0) }
    }

    @Test(arguments: cases)
    func twoExpertsPerTokenAreBitIdentical(_ depth: Depth, _ devices: Int) async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let local = try model.logits(ids, LocalExperts(layers: model.experts))
        let cell = try await TestCell(model, depth)
        try await cell.start(devices: (1...devices).map { "d\($0)" })
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == local)
        let cost = experts.takeCosts()
        #expect(cost.localPairs == 0, "every pair went to a device")
        #expect(cost.devices.count == devices)
        await cell.close()
    }

    /// Four experts per token: the grouping changes the rounding, but never from run to run.
    @Test(arguments: [2, 3])
    func moreExpertsPerTokenAgreeUpToRounding(_ devices: Int) async throws {
        let model = try tinyModel("qwen3_moe")
        let ids = try ExpectedModel("qwen3_moe").input_ids
        let local = try model.logits(ids, LocalExperts(layers: model.experts))
        let largest = local.values.reduce(0) { max($0, abs($1)) }
        var runs: [[Float]] = []
        for _ in 0..<2 {
            let cell = try await TestCell(model, .inProcess)
            try await cell.start(devices: (1...devices).map { "d\($0)" })
            runs.append(try model.logits(ids, cell.experts()).values)
            await cell.close()
        }
        #expect(runs[0] == runs[1])
        let worst = zip(runs[0], local.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(worst <= 5e-6 * largest)
    }

    /// A device is cut off before step `k`, for every `k` of an answer: the tokens stay the same,
    /// with every codec, since whoever steps in computes the same group through the same codec.
    @Test(arguments: ActivationCodec.allCases)
    func aLostDeviceChangesNoToken(_ codec: ActivationCodec) async throws {
        let model = try tinyModel("mixtral")
        let prompt = try ExpectedModel("mixtral").greedy_prompt
        let whole = try await TestCell(model, .inProcess, codec: codec)
        try await whole.start(devices: ["a", "b", "c"])
        let expected = try model.generate(prompt, count: 24, whole.experts())
        await whole.close()
        for lostBefore in stride(from: 0, to: 24, by: 3) {
            let cell = try await TestCell(model, .inProcess, codec: codec)
            try await cell.start(devices: ["a", "b", "c"])
            let experts = cell.experts()
            let tokens = try model.generate(prompt, count: 24, experts) { step in
                if step == lostBefore { cell.cut("b") }
            }
            #expect(tokens == expected, "lost before token \(lostBefore), \(codec)")
            #expect(experts.takeCosts().pairs == 0, "generation takes the costs of its steps")
            await cell.close()
        }
    }

    /// Several sequences in one pass over devices, and drafts, which save whole rounds: the bits
    /// and tokens of one sequence at a time on one machine.
    @Test func batchesAndDraftsAreAsAlone() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"])
        let experts = cell.experts()
        let texts = [ids, Array(ids.prefix(7)), ids.reversed()]
        let alone = try texts.map { try model.logits($0, LocalExperts(layers: model.experts)) }
        let pool = KeyValuePool(model.transformer)
        var steps = texts.map { SequenceStep(ids: $0, cache: pool.makeCache(), rows: .all) }
        let together = try model.transformer.forward(
            &steps, selector: model.selector, experts: experts)
        #expect(together.map(\.values) == alone.map(\.values))
        _ = experts.takeCosts()
        var drafts = 0
        for start in 0..<8 {
            let prompt = (0..<24).map { ids[start + $0 % 3] }
            let plain = try model.answer(prompt, count: 32, experts)
            let drafted = try model.answer(prompt, count: 32, experts, longestDraft: 6)
            #expect(drafted.tokens == plain.tokens)
            let saved = plain.cost.roundTripsPerToken - drafted.cost.roundTripsPerToken
            #expect(saved > 0 || drafted.cost.acceptedTokens == 0)
            drafts += drafted.cost.draftedTokens
        }
        #expect(drafts > 0)
        await cell.close()
    }

    /// A device that left joins again, takes its old slot and computes again.
    @Test(arguments: Depth.allCases)
    func aDeviceMayJoinAgain(_ depth: Depth) async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let local = try model.logits(ids, LocalExperts(layers: model.experts))
        let cell = try await TestCell(model, depth)
        try await cell.start(devices: ["a", "b"])
        cell.cut("b")
        await cell.coordinator.wait { $0.members.count == 1 }
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == local)
        #expect(experts.takeCosts().localPairs > 0, "b's pairs were computed here")
        cell.join("b")
        await cell.coordinator.wait { $0.members.count == 2 && $0.isSettled }
        #expect(try model.logits(ids, experts) == local)
        #expect(experts.takeCosts().localPairs == 0, "b computes again")
        await cell.close()
    }

    /// What devices have no memory for stays at the base station.
    @Test func smallDevicesHoldWhatFits() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let local = try model.logits(ids, LocalExperts(layers: model.experts))
        let cell = try await TestCell(model, .inProcess)
        try await cell.start(devices: ["a", "b"], memoryBytes: 3 * model.shape.expertBytes[0])
        let held = cell.coordinator.membership.members.values.map(\.ready.count)
        #expect(held == [3, 3])
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == local)
        #expect(experts.takeCosts().localPairs > 0)
        await cell.close()
    }

    /// A second start finds its experts in the cache and is shipped nothing.
    @Test func aCachedExpertIsNotShippedAgain() async throws {
        let model = try tinyModel("mixtral")
        let folder = try TemporaryFolder()
        var shipped: [Int] = []
        for _ in 0..<2 {
            let cell = try await TestCell(model, .loopback)
            cell.join("a", cache: folder.path + "/cache")
            await cell.coordinator.wait { $0.members.count == 1 }
            cell.coordinator.replan()
            await cell.coordinator.wait { $0.isSettled }
            shipped.append(cell.coordinator.membership.members.values.first?.bytesFetched ?? -1)
            await cell.close()
        }
        let all = model.shape.expertBytes.reduce(0) { $0 + $1 * model.shape.experts }
        #expect(shipped == [all, 0])
    }
}
