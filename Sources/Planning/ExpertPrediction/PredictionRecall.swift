/// How many of the experts that tokens visited were among the first `m` of a prediction, by layer
/// and `m`: recall@m.
package struct PredictionRecall: Sendable, Equatable {
    /// `[layers][m - 1]`: visits that the first `m` named.
    private var named: [[Int]]
    /// `[layers]`: visits of tokens that had a prediction.
    package private(set) var visits: [Int]

    /// - Parameter depth: the largest `m`.
    package init(layers: Int, depth: Int) {
        named = Array(repeating: Array(repeating: 0, count: depth), count: layers)
        visits = Array(repeating: 0, count: layers)
    }

    /// Counts one token's visits in a layer.
    ///
    /// - Parameters:
    ///   - ranking: predicted experts, the likeliest first, none twice.
    ///   - visited: the experts that it visited.
    package mutating func add(layer: Int, ranking: [Int], visited: [Int]) {
        visits[layer] += visited.count
        for (place, expert) in ranking.prefix(named[layer].count).enumerated()
        where visited.contains(expert) {
            for depth in place..<named[layer].count { named[layer][depth] += 1 }
        }
    }

    /// Recall at `m` in a layer, 0...1; nil where nothing was predicted.
    ///
    /// - Precondition: `m` is in 1...depth.
    package func recall(layer: Int, at m: Int) -> Double? {
        visits[layer] > 0 ? Double(named[layer][m - 1]) / Double(visits[layer]) : nil
    }

    /// Recall at `m` over all layers that had predictions; nil where none had.
    package func recall(at m: Int) -> Double? {
        let all = visits.reduce(0, +)
        return all > 0 ? Double(named.reduce(0) { $0 + $1[m - 1] }) / Double(all) : nil
    }
}
