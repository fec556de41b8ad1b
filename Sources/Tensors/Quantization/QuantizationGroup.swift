/// Numbers that share a scale, and the search for the scale that stores them best.
///
/// An error counts by the number's own magnitude plus the group's root mean square: large weights
/// matter more to a product, small ones not nothing. The search is ours; trying inverse scales
/// around the obvious one and solving weighted least squares for each is what llama.cpp's
/// quantisers do as well.
struct QuantizationGroup {
    private let numbers: UnsafePointer<Float>
    private let count: Int
    private let rootMeanSquare: Float

    /// The tried inverse scales map the largest number to up to 0.9 of a level beside its own.
    private static let steps = -9...9

    /// `count` finite numbers from `numbers`.
    init(_ numbers: UnsafePointer<Float>, count: Int) {
        self.numbers = numbers
        self.count = count
        var squares: Float = 0
        for index in 0..<count { squares += numbers[index] * numbers[index] }
        rootMeanSquare = (squares / Float(count)).squareRoot()
    }

    /// The scale that minimises `Σ weight · (x − scale · q)²` over levels q from `lowest` to
    /// `−lowest − 1`. Negative where the number of largest magnitude is positive, so that it gets
    /// the lowest level, which has no opposite. 0 for zeros.
    func symmetricScale(lowest: Float) -> Float {
        var extreme: Float = 0
        for index in 0..<count where numbers[index].magnitude > extreme.magnitude {
            extreme = numbers[index]
        }
        guard extreme.magnitude >= .leastNormalMagnitude else { return 0 }
        var best: (scale: Float, explained: Float) = (0, 0)
        for step in Self.steps {
            let inverse = (lowest + 0.1 * Float(step)) / extreme
            let candidate = leastSquaresScale(inverse: inverse, lowest: lowest)
            if candidate.explained > best.explained { best = candidate }
        }
        return best.scale
    }

    /// For the levels that `inverse` rounds to, the best scale and how much of the weighted sum of
    /// squares it explains.
    private func leastSquaresScale(
        inverse: Float, lowest: Float
    ) -> (scale: Float, explained: Float) {
        var products: Float = 0
        var squares: Float = 0
        for index in 0..<count {
            let x = numbers[index]
            let level = min(max((x * inverse).rounded(.toNearestOrEven), lowest), -lowest - 1)
            let weight = rootMeanSquare + x.magnitude
            products += weight * x * level
            squares += weight * level * level
        }
        guard squares > 0 else { return (0, 0) }
        return (products / squares, products / squares * products)
    }

    /// The scale and minimum that minimise `Σ weight · (x − scale · q − minimum)²` over levels q
    /// from 0 to `highest`; the minimum is at most 0 where `minimumIsNegative`. The scale is 0
    /// where all numbers are the minimum.
    func scaleAndMinimum(
        highest: Float, minimumIsNegative: Bool
    ) -> (scale: Float, minimum: Float) {
        var (smallest, largest) = (numbers[0], numbers[0])
        for index in 1..<count {
            smallest = min(smallest, numbers[index])
            largest = max(largest, numbers[index])
        }
        if minimumIsNegative { smallest = min(smallest, 0) }
        let range = largest - smallest
        guard range >= .leastNormalMagnitude, range.isFinite else { return (0, smallest) }
        var best = Line(scale: range / highest, minimum: smallest, error: .infinity)
        for step in Self.steps {
            let inverse = (highest + 0.1 * Float(step)) / range
            let line = leastSquaresLine(
                inverse: inverse, from: smallest, highest: highest,
                minimumIsNegative: minimumIsNegative)
            if line.scale > 0 && line.error < best.error { best = line }
        }
        return (best.scale, best.minimum)
    }

    private struct Line {
        var scale: Float
        var minimum: Float
        var error: Float
    }

    /// For the levels that `inverse` rounds to from `smallest` on, the best line.
    private func leastSquaresLine(
        inverse: Float, from smallest: Float, highest: Float, minimumIsNegative: Bool
    ) -> Line {
        // In fp64: the determinant is a difference of large numbers.
        var (weights, levels, squares, numbersSum, products) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for index in 0..<count {
            let x = Double(numbers[index])
            let level = Double(level(index, inverse, smallest, highest))
            let weight = Double(rootMeanSquare) + x.magnitude
            weights += weight
            levels += weight * level
            squares += weight * level * level
            numbersSum += weight * x
            products += weight * x * level
        }
        let determinant = weights * squares - levels * levels
        guard determinant > 0 else { return Line(scale: 0, minimum: 0, error: .infinity) }
        var line = Line(
            scale: Float((weights * products - numbersSum * levels) / determinant),
            minimum: Float((squares * numbersSum - levels * products) / determinant), error: 0)
        if minimumIsNegative && line.minimum > 0 {
            line.scale = Float(products / squares)
            line.minimum = 0
        }
        for index in 0..<count {
            let x = numbers[index]
            let level = level(index, inverse, smallest, highest)
            let difference = x - line.scale * level - line.minimum
            line.error += (rootMeanSquare + x.magnitude) * difference * difference
        }
        return line
    }

    @inline(__always)
    private func level(
        _ index: Int, _ inverse: Float, _ smallest: Float, _ highest: Float
    ) -> Float {
        let level = ((numbers[index] - smallest) * inverse).rounded(.toNearestOrEven)
        return min(max(level, 0), highest)
    }
}

/// The level in `levels` whose value `scale · level + minimum` is nearest to `x`; the nearest to 0
/// where the scale is 0.
@inline(__always)
func nearestLevel(
    _ x: Float, scale: Float, minimum: Float = 0, in levels: ClosedRange<Float>
) -> Int32 {
    let level = scale == 0 ? 0 : ((x - minimum) / scale).rounded(.toNearestOrEven)
    return Int32(min(max(level, levels.lowerBound), levels.upperBound))
}
