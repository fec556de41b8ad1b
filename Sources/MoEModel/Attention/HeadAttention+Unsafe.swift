import Tensors

/// Causal attention of all heads over cached keys and values, whatever made them.
struct HeadAttention {
    let heads: Int
    /// Each is shared by `heads / keyValueHeads` neighbouring heads.
    let keyValueHeads: Int
    /// Width of one head's query and key.
    let keySize: Int
    /// Width of one head's value.
    let valueSize: Int
    /// Elements from one position's keys to the next one's.
    let keyStride: Int
    /// Elements from one position's values to the next one's.
    let valueStride: Int
    /// Factor of the scores.
    let scale: Float
    /// A position sees itself and the `window - 1` before it; nil sees all.
    let window: Int?
    /// `[heads]` logits that take part in the softmax and have no value; or empty.
    let sinks: [Float]

    /// `softmax(scale · q · kᵀ) · v` per head, each row over the positions that it sees.
    ///
    /// A row's sum runs over positions in sequence, so it does not depend on how many rows are
    /// computed together.
    ///
    /// - Parameters:
    ///   - queries: `[tokens × (heads · keySize)]`, the last positions of the cache.
    ///   - keys: `[positions × keyStride]`, up to the last row's position.
    ///   - values: `[positions × valueStride]`; may be the same array.
    /// - Returns: `[tokens × (heads · valueSize)]`.
    func attend(_ queries: Matrix, keys: [Float], values: [Float]) -> Matrix {
        let positions = keys.count / keyStride
        precondition(positions >= queries.rows, "the cache holds the new positions")
        precondition(values.count == positions * valueStride, "one value for each key")
        precondition(queries.columns == heads * keySize, "one query for each head")
        var output = Matrix(rows: queries.rows, columns: heads * valueSize)
        var scores = [Float](repeating: 0, count: positions + 1)
        let group = heads / keyValueHeads
        output.values.withUnsafeMutableBufferPointer { output in
            scores.withUnsafeMutableBufferPointer { scores in
                for row in 0..<queries.rows {
                    for head in 0..<heads {
                        let one = HeadRow(
                            all: self, position: positions - queries.rows + row,
                            query: (row * heads + head) * keySize,
                            output: (row * heads + head) * valueSize,
                            key: head / group * keySize, value: head / group * valueSize,
                            sink: sinks.isEmpty ? nil : sinks[head])
                        one.attend(queries.values, keys, values, scores, output)
                    }
                }
            }
        }
        return output
    }
}

/// One head of one row: where its numbers lie.
private struct HeadRow {
    let all: HeadAttention
    /// The row's position in the sequence, the last that it sees.
    let position: Int
    /// Offset of the head's query.
    let query: Int
    /// Offset of the head's output.
    let output: Int
    /// Offset of the head's key in a position's keys.
    let key: Int
    /// Offset of the head's value in a position's values.
    let value: Int
    let sink: Float?

    func attend(
        _ queries: [Float], _ keys: [Float], _ values: [Float],
        _ buffer: UnsafeMutableBufferPointer<Float>, _ out: UnsafeMutableBufferPointer<Float>
    ) {
        let first = max(0, position + 1 - (all.window ?? Int.max))
        let count = position + 1 - first
        let scores = UnsafeMutableBufferPointer(rebasing: buffer[0..<count])
        score(queries, keys, from: first, scores)
        if let sink {
            buffer[count] = sink
            softmax(UnsafeMutableBufferPointer(rebasing: buffer[0...count]))
        } else {
            softmax(scores)
        }
        mix(values, from: first, scores, out)
    }

    private func score(
        _ queries: [Float], _ keys: [Float], from first: Int,
        _ scores: UnsafeMutableBufferPointer<Float>
    ) {
        queries.withUnsafeBufferPointer { queries in
            keys.withUnsafeBufferPointer { keys in
                guard let queries = queries.baseAddress, let keys = keys.baseAddress else { return }
                let start = keys + first * all.keyStride + key
                for index in scores.indices {
                    let product = dot(
                        queries + query, start + index * all.keyStride, count: all.keySize)
                    scores[index] = product * all.scale
                }
            }
        }
    }

    private func mix(
        _ values: [Float], from first: Int, _ scores: UnsafeMutableBufferPointer<Float>,
        _ out: UnsafeMutableBufferPointer<Float>
    ) {
        values.withUnsafeBufferPointer { values in
            guard let out = out.baseAddress, let values = values.baseAddress else { return }
            let start = values + first * all.valueStride + value
            for index in scores.indices {
                addScaledFused(
                    out + output, scores[index], start + index * all.valueStride,
                    count: all.valueSize)
            }
        }
    }
}
