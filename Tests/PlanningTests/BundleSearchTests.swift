import SystemModel
import Testing

@testable import Planning

/// Bundles of a layer save what they say, and never more than the best of all subsets.
struct BundleSearchTests {
    @Test func chainsAreHonest() {
        for seed in 0..<UInt64(100) {
            var generator = SeededGenerator(seed: seed)
            var size = CachingProblems.Size()
            (size.layers, size.experts, size.perSet, size.users) = (2, 10, 3, 3)
            let index = ExpertCachingPlanner(CachingProblems.random(size, using: &generator)).index
            var search = BundleSearch(index)
            // What an earlier server left behind must not matter.
            for round in 0..<2 {
                search.clear()
                var exact: [LayerCurve] = []
                var worths: [ContiguousArray<Double>] = []
                for layer in 0..<2 {
                    let worth = ContiguousArray(
                        (0..<10).map { _ in 0.1 * (generator.uniform() - 0.5) })
                    var subsets = Self.subsets(worth)
                    for entry in index.layers[layer].entries {
                        let set = Int(index.entrySet[entry])
                        let missing = generator.next() % 7 + 1
                        let seconds = generator.uniform()
                        search.add(set: set, missing: missing, seconds: seconds)
                        subsets[Self.mask(index, set, missing, layer)] += seconds
                    }
                    search.finish(layer: layer, most: 8, worth: worth)
                    worths.append(subsets)
                    exact.append(LayerCurve(subsets: &subsets, experts: 10, most: 8))
                    worths[layer] = subsets
                }
                search.extend(bytes: .max)
                for (layer, chain) in search.chains.enumerated() {
                    let curve = chain.curve()
                    #expect(curve.most <= 8)
                    for count in curve.gains.indices {
                        let mask = curve.experts(count).reduce(0) { $0 | 1 << $1 }
                        let note = "seed \(seed), round \(round), layer \(layer)"
                        #expect(abs(worths[layer][mask] - curve.gains[count]) < 1e-12, "\(note)")
                        #expect(curve.experts(count).count <= count, "\(note)")
                        let most = exact[layer].gains[min(count, exact[layer].most)]
                        #expect(curve.gains[count] <= most + 1e-12, "\(note)")
                    }
                }
            }
        }
    }

    private static func subsets(_ worth: ContiguousArray<Double>) -> ContiguousArray<Double> {
        var subsets = ContiguousArray<Double>(repeating: 0, count: 1 << worth.count)
        for (expert, value) in worth.enumerated() { subsets[1 << expert] = value }
        return subsets
    }

    private static func mask(
        _ index: CachingIndex, _ set: Int, _ missing: UInt64, _ layer: Int
    ) -> Int {
        (0..<3).filter { missing >> UInt64($0) & 1 == 1 }.reduce(0) {
            let expert = Int(index.setExperts[Int(index.setStart[set]) + $1])
            return $0 | 1 << (expert - index.layers[layer].experts.lowerBound)
        }
    }
}
