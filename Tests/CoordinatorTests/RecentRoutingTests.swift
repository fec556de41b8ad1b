import MoEModel
import SystemModel
import Testing

@testable import Coordinator

struct RecentRoutingTests {
    /// A dense layer, then two of six experts.
    static let shape = ModelShape(
        layers: 3, experts: 6, expertsPerToken: 2, hidden: 8, expertBytes: [0, 10, 10])

    private func routing(_ rows: [[Int]]) -> Routing {
        Routing(
            rows: rows.count,
            pairs: rows.enumerated().flatMap { row, experts in
                experts.map { ExpertPair(row: row, expert: $0, weight: 1) }
            })
    }

    @Test func setsAreCounted() {
        var recent = RecentRouting(Self.shape)
        recent.add(layer: 1, routing([[0, 1], [2, 5], [0, 1]]))
        recent.add(layer: 2, routing([[3], [4, 5], []]))
        recent.add(layer: 1, routing([[1, 2]]))
        #expect(recent.rows == 3, "rows of the last layer with experts")
        #expect(
            recent.sets(layer: 1) == [
                RoutedSet(experts: [0, 1], count: 2), RoutedSet(experts: [1, 2], count: 1),
                RoutedSet(experts: [2, 5], count: 1),
            ])
        #expect(
            recent.sets(layer: 2) == [
                RoutedSet(experts: [3], count: 1), RoutedSet(experts: [4, 5], count: 1),
            ])
        #expect(recent.popularity[0].isEmpty)
        #expect(recent.popularity[1] == [2, 3, 2, 0, 0, 1].map { $0 / 8 })
    }

    /// Prompts now and then do not count.
    @Test func rowsThatGoTogether() {
        var recent = RecentRouting(Self.shape)
        #expect(recent.rowsPerRound == 1)
        func add(_ rows: Int, times: Int) {
            for _ in 0..<times {
                recent.add(layer: 1, routing([[2, 3]]))
                recent.add(layer: 2, routing(Array(repeating: [0, 1], count: rows)))
            }
        }
        add(1, times: 64)
        add(256, times: 31)
        #expect(recent.rowsPerRound == 1)
        add(7, times: 64)
        #expect(recent.rowsPerRound == 4)
        add(8, times: 33)
        #expect(recent.rowsPerRound == 8)
        add(1_000, times: 64)
        #expect(recent.rowsPerRound == 64, "more are not planned for together")
        for _ in 0..<64 {
            recent.add(layer: 1, routing(Array(repeating: [0, 1], count: 8)))
            for _ in 0..<4 { recent.add(layer: 2, routing([[2, 3], [2, 3]])) }
        }
        #expect(recent.rowsPerRound == 2, "the parts of a step that begins as a whole")
    }

    /// More experts than K, and layers that the model does not have, do no harm.
    @Test func whatIsTooMuchIsLeftOut() {
        var recent = RecentRouting(Self.shape)
        recent.add(layer: 1, routing([[0, 1, 2]]))
        recent.add(layer: 7, routing([[0, 1]]))
        #expect(recent.sets(layer: 1) == [RoutedSet(experts: [0, 1], count: 1)])
    }

    /// The sample stays bounded, forgets exponentially, and its popularity is that of its sets.
    @Test func theSampleForgets() {
        var recent = RecentRouting(Self.shape, seed: 3)
        let full = RecentRouting.rowsKept
        recent.add(layer: 1, routing(Array(repeating: [0, 1], count: full)))
        #expect(recent.popularity[1] == [0.5, 0.5, 0, 0, 0, 0])
        // After as many other rows a share of about 1/e of the old ones is left.
        for _ in 0..<full { recent.add(layer: 1, routing([[2, 3]])) }
        let sets = recent.sets(layer: 1)
        #expect(sets.map(\.experts) == [[0, 1], [2, 3]])
        #expect(sets.reduce(0) { $0 + $1.count } == full)
        let left = Double(sets[0].count) / Double(full)
        #expect(abs(left - 0.368) < 0.05, "seed 3: \(left)")
        #expect(recent.popularity[1][0] == left / 2)
        #expect(abs(recent.popularity[1].reduce(0, +) - 1) < 1e-12)
    }

    /// Without a profile all experts count alike until enough was seen; then what was seen.
    @Test func withoutAProfileTheSampleHasToBeLargeEnough() {
        var recent = RecentRouting(Self.shape)
        let few = Array(repeating: [0, 1], count: RecentRouting.rowsNeeded - 1)
        recent.add(layer: 1, routing(few))
        let sets = recent.sets(Self.shape, prior: nil)
        #expect(sets[0].isEmpty, "a dense layer")
        for layer in 1...2 {
            let popularity = sets[layer].popularity(experts: 6)
            #expect(popularity.allSatisfy { abs($0 - 1.0 / 6) < 1e-12 })
            #expect(sets[layer].allSatisfy { $0.experts.count == 2 })
        }
        recent.add(layer: 1, routing([[0, 1]]))
        let now = recent.sets(Self.shape, prior: nil)
        #expect(now[1] == [RoutedSet(experts: [0, 1], count: RecentRouting.rowsNeeded)])
        #expect(now[2] == sets[2])
    }

    /// A profile counts as a bounded number of rows beside the sample.
    @Test func aProfileIsAPrior() {
        let recorded = [
            [],
            [
                RoutedSet(experts: [0, 1], count: 30_000),
                RoutedSet(experts: [4, 5], count: 10_000),
            ],
            [RoutedSet(experts: [2, 3], count: 5)],
        ]
        let prior = RecentRouting.prior(recorded)
        #expect(prior[1].map(\.count) == [768, 256])
        #expect(prior[2] == recorded[2])
        var recent = RecentRouting(Self.shape)
        #expect(recent.sets(Self.shape, prior: prior) == prior)
        recent.add(layer: 1, routing([[4, 5], [1, 2]]))
        #expect(
            recent.sets(Self.shape, prior: prior)[1] == [
                RoutedSet(experts: [0, 1], count: 768), RoutedSet(experts: [1, 2], count: 1),
                RoutedSet(experts: [4, 5], count: 257),
            ])
    }

    /// Thinning out keeps every share to within a row, whatever the counts.
    @Test func thinningOutKeepsShares() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20 {
            let sets = (0..<40).map {
                RoutedSet(experts: [$0], count: Int.random(in: 1...5_000, using: &generator))
            }
            let total = sets.reduce(0) { $0 + $1.count }
            let thin = RecentRouting.prior([sets])[0]
            let kept = [[Int]: Int](
                thin.map { ($0.experts, $0.count) }, uniquingKeysWith: +)
            #expect(thin.reduce(0) { $0 + $1.count } == min(total, RecentRouting.priorRows))
            for set in sets where total > RecentRouting.priorRows {
                let share = Double(set.count * RecentRouting.priorRows) / Double(total)
                #expect(abs(Double(kept[set.experts] ?? 0) - share) <= 1, "seed 11")
            }
        }
    }
}
