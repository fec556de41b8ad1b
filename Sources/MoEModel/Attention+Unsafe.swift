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
        let (heads, size) = (configuration.heads, configuration.headSize)
        let group = heads / configuration.keyValueHeads
        let stride = configuration.keyValueHeads * size
        let positions = firstPosition + queries.rows
        precondition(cache.keys.count == positions * stride, "the cache holds the new positions")
        var output = Matrix(rows: queries.rows, columns: heads * size)
        var scores = [Float](repeating: 0, count: positions)
        for row in 0..<queries.rows {
            for head in 0..<heads {
                let one = HeadRow(
                    position: firstPosition + row, query: (row * heads + head) * size,
                    keys: head / group * size, size: size, stride: stride)
                one.attend(queries.values, cache, &scores, &output.values)
            }
        }
        return output
    }
}

/// One head of one row: where its numbers lie.
private struct HeadRow {
    /// The row's position in the sequence; it sees positions `0...position`.
    let position: Int
    /// Offset of the head's query, and of its output.
    let query: Int
    /// Offset of the head's first key, and of its first value.
    let keys: Int
    /// Width of the head.
    let size: Int
    /// Elements from one position's keys to the next one's.
    let stride: Int

    func attend(
        _ queries: [Float], _ cache: KeyValueCache.Layer,
        _ scores: inout [Float], _ output: inout [Float]
    ) {
        let scale = 1 / Float(size).squareRoot()
        scores.withUnsafeMutableBufferPointer { buffer in
            let scores = UnsafeMutableBufferPointer(rebasing: buffer[0...position])
            score(queries, cache.keys, scores, scale)
            softmax(scores)
            mix(cache.values, scores, &output)
        }
    }

    private func score(
        _ queries: [Float], _ keys: [Float], _ scores: UnsafeMutableBufferPointer<Float>,
        _ scale: Float
    ) {
        queries.withUnsafeBufferPointer { queries in
            keys.withUnsafeBufferPointer { keys in
                guard let query = queries.baseAddress, let key = keys.baseAddress else { return }
                for position in scores.indices {
                    let product = dot(
                        query + self.query, key + self.keys + position * stride, count: size)
                    scores[position] = product * scale
                }
            }
        }
    }

    private func mix(
        _ values: [Float], _ scores: UnsafeMutableBufferPointer<Float>, _ output: inout [Float]
    ) {
        output.withUnsafeMutableBufferPointer { output in
            values.withUnsafeBufferPointer { values in
                guard let out = output.baseAddress, let value = values.baseAddress else { return }
                for position in scores.indices {
                    addScaledFused(
                        out + query, scores[position], value + keys + position * stride,
                        count: size)
                }
            }
        }
    }
}
