import ModelFiles
import SystemModel
import TestSupport
import Testing

@testable import MoEModel

/// Drafts change the number of steps, never a token.
struct SpeculationTests {
    /// Greedy and drawn answers of every architecture, with drafts of several lengths.
    @Test(arguments: ParityTests.models, [1, 3, 8])
    func draftsChangeNoToken(_ name: String, _ longest: Int) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let ids = run.expected.input_ids
        for temperature in [0, 0.7] {
            var sampling = SamplingOptions()
            sampling.temperature = temperature
            sampling.repetitionPenalty = temperature == 0 ? 1 : 1.1
            sampling.seed = 11
            let prompt = ids + ids.prefix(20)
            let plain = try run.model.answer(prompt, sampling)
            let drafted = try run.model.answer(prompt, sampling, longestDraft: longest)
            #expect(drafted.tokens == plain.tokens, "\(name), temperature \(temperature)")
            #expect(plain.cost.draftedTokens == 0)
            #expect(plain.cost.steps == plain.tokens.count)
            #expect(
                drafted.cost.tokens
                    == prompt.count + drafted.cost.steps - 1 + drafted.cost.acceptedTokens)
        }
    }

    /// The shipped model repeats itself, and so needs fewer steps than tokens.
    @Test func draftsSaveSteps() throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        let prompt = [1] + (0..<40).map { 300 + $0 % 10 * 17 }
        let plain = try model.answer(prompt, SamplingOptions(), count: 80)
        let drafted = try model.answer(prompt, SamplingOptions(), count: 80, longestDraft: 8)
        #expect(drafted.tokens == plain.tokens)
        #expect(drafted.cost.draftedTokens > 0)
        #expect(drafted.cost.steps < plain.cost.steps)
    }

    /// A cache without room for a draft goes on without it.
    @Test func draftsNeedNoRoom() throws {
        let run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        let prompt = (0..<58).map { 5 + $0 % 3 }
        let page = KeyValuePool(run.model.transformer).pageBytes
        let pool = KeyValuePool(run.model.transformer, bytesLimit: page)
        let plain = try run.model.answer(prompt, SamplingOptions(), count: 6)
        let drafted = try run.model.answer(
            prompt, SamplingOptions(), count: 6, longestDraft: 16, cache: pool.makeCache())
        #expect(drafted.tokens == plain.tokens)
    }

    @Test func whatFollowedBeforeIsDrafted() {
        var lookup = PromptLookup(longest: 4)
        #expect(lookup.draft([1, 2, 3, 4, 5, 6, 1, 2, 3], room: 9) == [4, 5, 6, 1])
        #expect(lookup.draft([1, 2, 3, 4, 5, 6, 1, 2, 3], room: 2) == [4, 5])
        #expect(lookup.draft([9, 1, 2, 7, 1, 2, 8, 1, 2], room: 9) == [8, 1, 2, 8])
        #expect(lookup.draft([9, 5, 5, 5], room: 9) == [5, 5, 5, 5])
        #expect(lookup.draft([1, 2, 3, 4], room: 9).isEmpty)
        #expect(lookup.draft([1, 2, 1, 2], room: 0).isEmpty)
        #expect(lookup.draft([], room: 9).isEmpty)
        for _ in 0..<3 { lookup.verified(drafted: 4, accepted: 0) }
        #expect(lookup.draft([1, 2, 3, 4, 1, 2], room: 9) == [3])
        lookup.verified(drafted: 1, accepted: 1)
        #expect(lookup.draft([1, 2, 3, 4, 1, 2], room: 9) == [3, 4])
    }
}

extension Model {
    /// An answer of `count` tokens and what it cost.
    func answer(
        _ prompt: [Int], _ sampling: SamplingOptions, count: Int = 40, longestDraft: Int = 0,
        cache: KeyValueCache? = nil
    ) throws -> (tokens: [Int], cost: CostRecord) {
        var generation = Generation(
            transformer: transformer, selector: selector,
            experts: LocalExperts(layers: experts), clock: ManualClock(), sampling: sampling,
            prompt: prompt, cache: cache, longestDraft: longestDraft)
        var tokens: [Int] = []
        var cost = CostRecord()
        for _ in 0..<count {
            let token = try generation.next()
            tokens.append(token.id)
            cost.add(token.cost)
        }
        return (tokens, cost)
    }
}
