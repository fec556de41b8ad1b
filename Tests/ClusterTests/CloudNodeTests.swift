import Coordinator
import MoEModel
import SystemModel
import TestSupport
import Testing
import Wire

/// A far node changes no bit, whether it is asked or not, and steps in for devices that are lost.
@Suite(.timeLimit(.minutes(5))) struct CloudNodeTests {
    /// A device with room for three experts, and a far node with room for all.
    private func cell(_ model: Model, _ depth: Depth, _ codec: ActivationCodec) async throws
        -> TestCell
    {
        let cell = try await TestCell(model, depth, codec: codec)
        cell.join("near", memoryBytes: 3 * model.shape.expertBytes[0])
        cell.join("far", role: .cloud)
        await cell.coordinator.wait { $0.members.count == 2 }
        cell.coordinator.replan()
        await cell.coordinator.wait { $0.isComplete }
        return cell
    }

    @Test(arguments: Depth.allCases)
    func itComputesWhatHasRoomNowhereElse(_ depth: Depth) async throws {
        let model = try tinyModel("mixtral")
        let prompt = try ExpectedModel("mixtral").greedy_prompt
        let alone = try model.generate(
            prompt, count: 24, LocalExperts(layers: model.experts))
        let cell = try await cell(model, depth, .fp32)
        // Without trials the base station computes, since nothing is known of the far node; with
        // trials at every turn the far node is asked, too.
        let here = try model.answer(
            prompt, count: 24, cell.experts(cloud: CloudState(trialShare: 0)))
        #expect(here.tokens == alone)
        #expect(here.cost.localPairs > 0 && here.cost.devices["far"] == nil)
        let there = try model.answer(
            prompt, count: 24, cell.experts(cloud: CloudState(trialShare: 1e9)))
        #expect(there.tokens == alone)
        #expect((there.cost.devices["far"]?.pairs ?? 0) > 0)
        #expect(there.cost.recomputedGroups == 0, "nobody was lost")
        await cell.close()
    }

    /// Through every codec the same tokens, whoever computes what.
    @Test(arguments: ActivationCodec.allCases)
    func whoComputesChangesNothing(_ codec: ActivationCodec) async throws {
        let model = try tinyModel("mixtral")
        let prompt = try ExpectedModel("mixtral").greedy_prompt
        let cell = try await cell(model, .inProcess, codec)
        let (here, both) = (CloudState(trialShare: 0), CloudState(trialShare: 1e9))
        let expected = try model.answer(prompt, count: 24, cell.experts(cloud: here))
        #expect(expected.cost.devices["far"] == nil, "not measured yet, so the base station does")
        #expect(try model.generate(prompt, count: 24, cell.experts(cloud: both)) == expected.tokens)
        for lost in ["near", "far"] {
            let tokens = try model.generate(prompt, count: 24, cell.experts(cloud: both)) { step in
                if step == 7 { cell.cut(lost) }
            }
            #expect(tokens == expected.tokens, "\(lost) was lost, \(codec)")
            if lost == "near" { await cell.coordinator.wait { $0.members.count == 1 } }
        }
        await cell.close()
    }
}
