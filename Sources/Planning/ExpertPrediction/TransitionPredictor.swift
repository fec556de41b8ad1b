package import SystemModel

/// Ranks the next layer's experts by what a layer's experts were followed by while calibrating
/// (ours): an expert's score is the sum over the visited experts of their weight times the share of
/// their visits that it followed.
package struct TransitionPredictor: Sendable {
    /// `[layers][experts][next layer's experts]`, rows summing to 1 or 0; empty where the next
    /// layer is dense or there is none.
    private let follows: [[[Double]]]

    /// - Parameter profile: as recorded; an expert that was never visited predicts nothing.
    package init(_ profile: CalibrationProfile) {
        follows = profile.layers.indices.map { layer in
            let count = profile.layers[layer].experts.count
            let next =
                profile.layers.indices.contains(layer + 1)
                ? profile.layers[layer + 1].experts.count : 0
            let transitions = profile.layers[layer].transitions
            guard count > 0, next > 0, transitions.count == count * next else { return [] }
            return (0..<count).map { expert in
                let row = transitions[expert * next..<(expert + 1) * next]
                let sum = Double(max(1, row.reduce(0, +)))
                return row.map { Double($0) / sum }
            }
        }
    }

    /// The next layer's experts, the likeliest first; of equal ones the lower first.
    ///
    /// - Parameter visited: the layer's experts and their weights.
    /// - Returns: nil where nothing is known of the next layer.
    /// - Precondition: experts of the layer.
    /// - Complexity: O(visited · experts + experts · log experts).
    package func ranking(
        after layer: Int, visited: [(expert: Int, weight: Double)]
    ) -> [Int]? {
        guard follows.indices.contains(layer), let first = follows[layer].first else { return nil }
        var scores = [Double](repeating: 0, count: first.count)
        for (expert, weight) in visited {
            for (next, share) in follows[layer][expert].enumerated() {
                scores[next] += weight * share
            }
        }
        return scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    }
}
