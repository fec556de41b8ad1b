import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// Looking a layer ahead changes no result and tells how often it was right.
struct PrefetchTests {
    @Test(arguments: ["mixtral", "olmoe", "deepseek_v2", "gpt_oss"])
    func predictionsChangeNothing(_ name: String) throws {
        let run = try LocalRun(ModelFormat.gguf.path(name), try ExpectedModel(name))
        let model = run.model
        let ids = run.expected.input_ids
        let plain = LocalExperts(layers: model.experts)
        let ahead = PrefetchingExperts(
            LocalExperts(layers: model.experts), transformer: model.transformer,
            selector: model.selector, fetcher: WeightFetcher(model.experts))
        let logits = try [plain as any ExpertExecutor, ahead].map { experts in
            var cache = KeyValuePool(model.transformer).makeCache()
            return try model.transformer.forward(
                ids, cache: &cache, rows: .all, selector: model.selector, experts: experts)
        }
        #expect(logits[0] == logits[1])
        let (few, more) = (plain.takeCosts(), ahead.takeCosts())
        #expect(few.predictionRecall == nil)
        #expect(more.pairs == few.pairs)
        let mixtures = model.experts.count { !$0.isEmpty }
        #expect(more.predictedPairs == few.pairs / mixtures * (mixtures - 1))
        let recall = try #require(more.predictionRecall)
        #expect((0...1).contains(recall))
        #expect(ahead.takeCosts() == CostRecord())
    }
}

/// What a layer visits is asked of the disk at once, and seldom where nothing is missing.
struct VisitedFetchTests {
    /// Asks for the visits of rows 0 and 1; returns the experts that were looked at.
    private static func looks(_ fetcher: WeightFetcher, limit: Int = .max) -> [ExpertID] {
        var looked: [ExpertID] = []
        let pairs = [(0, 3), (0, 5), (1, 1), (1, 3)].map {
            ExpertPair(row: $0.0, expert: $0.1, weight: 0.5)
        }
        fetcher.fetchVisited(layer: 1, pairs, limit: limit) {
            looked.append($0)
            return $0.expert != 5
        }
        return looked
    }

    @Test func everyVisitedExpertOnce() throws {
        let run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        for expert in run.model.experts[1] {
            for matrix in expert.matrices { _ = matrix.bytes.copyBytes(0..<matrix.bytes.count) }
        }
        let fetcher = WeightFetcher(run.model.experts)
        #expect(Self.looks(fetcher) == [1, 3, 5].map { ExpertID(layer: 1, expert: $0) })
        // All was just read.
        for _ in 0..<PrefetchPace.calmLooks { _ = Self.looks(fetcher) }
        let counts = (0..<PrefetchPace.calmInterval).map { _ in Self.looks(fetcher).count }
        #expect(counts.count { $0 == 0 } == PrefetchPace.calmInterval - 1)
    }

    /// However large experts are, a row's are asked for; more rows' only within the limit.
    @Test func aLimitLeavesARow() throws {
        let run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        let fetcher = WeightFetcher(run.model.experts)
        let size = run.model.experts[1][0].byteCount
        var counts: [Int] = []
        for limit in [0, size, 2 * size, 3 * size] {
            var asked = 0
            fetcher.fetchVisited(
                layer: 1,
                [(0, 3), (0, 5), (1, 1), (1, 2)].map {
                    ExpertPair(row: $0.0, expert: $0.1, weight: 0.5)
                }, limit: limit
            ) { _ in
                asked += 1
                return true
            }
            counts.append(asked)
        }
        // The expert after the last is looked at, too.
        #expect(counts == [3, 3, 3, 4])
    }

    @Test func copiesAreNoFile() throws {
        let run = try LocalRun(ModelFormat.gguf.path("mixtral"), try ExpectedModel("mixtral"))
        let pages = HugePages()
        let copies = try run.model.experts.map {
            try $0.map { try $0.copied(into: pages, inBackground: false) }
        }
        #expect(Self.looks(WeightFetcher(copies)).isEmpty)
    }
}

struct PrefetchPaceTests {
    /// While nothing is missing it looks at one layer of sixteen, else at every one.
    @Test func itCostsLittleWhenAllIsInMemory() {
        var pace = PrefetchPace()
        for _ in 0..<PrefetchPace.calmLooks {
            #expect(pace.isDue() == true)
            pace.looked(foundMissing: false)
        }
        let looks = (0..<160).count { _ in
            guard pace.isDue() else { return false }
            pace.looked(foundMissing: false)
            return true
        }
        #expect(looks == 160 / PrefetchPace.calmInterval)
        pace.looked(foundMissing: true)
        #expect((0..<10).allSatisfy { _ in pace.isDue() })
    }

    @Test func whatWasJustReadIsInMemory() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("weights", [UInt8](repeating: 7, count: 100_000))
        let mapped = WeightBytes(mapping: MappingOwner(try MappedFile(path: path)))
        #expect(mapped.copyBytes(0..<mapped.count).allSatisfy { $0 == 7 })
        #expect(mapped.isResident)
        #expect(WeightBytes([1, 2, 3]).isResident)
    }
}
