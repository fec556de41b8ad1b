import Tensors

extension Attention {
    /// `softmax(q · kᵀ / √headSize) · v` per head, each row over the positions up to its own.
    ///
    /// A row's sum runs over positions in sequence, so it does not depend on how many rows are
    /// computed together.
    ///
    /// - Parameters:
    ///   - queries: `[tokens × (heads · headSize)]`, rotated; row `t` is position
    ///     `firstPosition + t`.
    ///   - cache: holds all positions up to the last row's.
    /// - Returns: `[tokens × (heads · headSize)]`.
    func attend(
        _ queries: Matrix, cache: KeyValueCache.Layer, firstPosition: Int
    ) -> Matrix {
        let heads = configuration.heads
        let size = configuration.headSize
        let group = heads / configuration.keyValueHeads
        let width = configuration.keyValueHeads * size
        let positions = firstPosition + queries.rows
        precondition(cache.keys.count == positions * width, "the cache holds the new positions")
        var output = Matrix(rows: queries.rows, columns: heads * size)
        var scores = [Float](repeating: 0, count: positions)
        queries.values.withUnsafeBufferPointer { queries in
            cache.keys.withUnsafeBufferPointer { keys in
                cache.values.withUnsafeBufferPointer { values in
                    output.values.withUnsafeMutableBufferPointer { output in
                        scores.withUnsafeMutableBufferPointer { scores in
                            for row in 0..<output.count / (heads * size) {
                                for head in 0..<heads {
                                    let at = row * heads * size + head * size
                                    let offset = head / group * size
                                    attendOne(
                                        queries.baseAddress! + at, keys.baseAddress! + offset,
                                        values.baseAddress! + offset, output.baseAddress! + at,
                                        .init(rebasing: scores[0...firstPosition + row]),
                                        size: size, stride: width)
                                }
                            }
                        }
                    }
                }
            }
        }
        return output
    }

    /// One head of one row: scores over all of `scores.count` positions, softmax, weighted values.
    private func attendOne(
        _ query: UnsafePointer<Float>, _ keys: UnsafePointer<Float>,
        _ values: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
        _ scores: UnsafeMutableBufferPointer<Float>, size: Int, stride: Int
    ) {
        let scale = 1 / Float(size).squareRoot()
        for position in scores.indices {
            scores[position] = dot(query, keys + position * stride, count: size) * scale
        }
        softmax(scores)
        for position in scores.indices {
            addScaledFused(output, scores[position], values + position * stride, count: size)
        }
    }
}
