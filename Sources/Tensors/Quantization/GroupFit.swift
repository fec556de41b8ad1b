/// The scales and minima of a block's groups, each rounded to a few bits times one factor of the
/// whole block.
struct GroupFit<let count: Int> {
    /// The factor of the scales, to be stored in half precision.
    private(set) var scale: Float = 0
    /// The factor of the minima, to be stored in half precision.
    private(set) var minimum: Float = 0
    /// What each group's scale is in multiples of `scale`, before rounding.
    private var scales = InlineArray<count, Float>(repeating: 0)
    private var minima = InlineArray<count, Float>(repeating: 0)

    /// Fits symmetric levels from `lowest` on; factors of scales reach from `lowestFactor`.
    init(_ input: UnsafePointer<Float>, size: Int, lowest: Float, lowestFactor: Float) {
        var extreme: Float = 0
        for index in 0..<count {
            let group = QuantizationGroup(input + index * size, count: size)
            scales[index] = group.symmetricScale(lowest: lowest)
            if scales[index].magnitude > extreme.magnitude { extreme = scales[index] }
        }
        scale = extreme / lowestFactor
    }

    /// Fits levels from 0 to `highest` with minima of at most 0; factors reach `highestFactor`.
    init(_ input: UnsafePointer<Float>, size: Int, highest: Float, highestFactor: Float) {
        for index in 0..<count {
            let group = QuantizationGroup(input + index * size, count: size)
            let line = group.scaleAndMinimum(highest: highest, minimumIsNegative: true)
            scales[index] = line.scale
            minima[index] = -line.minimum
            scale = max(scale, line.scale / highestFactor)
            minimum = max(minimum, -line.minimum / highestFactor)
        }
    }

    /// The factor of `group`'s scale where `stored` is the block's as a reader sees it.
    func scaleFactor(_ group: Int, stored: Float, in range: ClosedRange<Float>) -> Int32 {
        nearestLevel(scales[group], scale: stored, in: range)
    }

    /// The factor of `group`'s minimum where `stored` is the block's as a reader sees it.
    func minimumFactor(_ group: Int, stored: Float, in range: ClosedRange<Float>) -> Int32 {
        nearestLevel(minima[group], scale: stored, in: range)
    }
}
