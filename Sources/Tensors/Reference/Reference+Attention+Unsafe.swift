extension Reference {
    /// See `AttentionTask.run`. Per tile, with the largest score so far `m`, the sum `l` and the
    /// mix `o`: a score is one chain of fused multiply-adds over the key's elements, then scaled;
    /// `c = exp(m − m')`; `l' = l · c + Σ p`, summed in sixteen lanes; `o' = o · c`, then one fused
    /// multiply-add per visible position.
    static func attend(_ task: AttentionTask) {
        for row in 0..<task.rows {
            for head in 0..<task.heads { attend(task, row: row, head: head) }
        }
    }

    private static func attend(_ task: AttentionTask, row: Int, head: Int) {
        let count = KeyValueTile.positions
        let last = task.position + row
        let first = last < task.window ? 0 : last - task.window + 1
        var state = OnlineSoftmax(size: task.tile.valueSize, sink: task.sinks?[head])
        for page in first / count...last / count {
            let seen = max(first - page * count, 0)..<min(last - page * count + 1, count)
            let tile = task.pages[page] + task.offset
            var scores = [Float](repeating: -.infinity, count: count)
            for position in seen {
                let query = task.queries + row * task.queryStride + head * task.tile.keySize
                var sum: Float = 0
                for element in 0..<task.tile.keySize {
                    sum.addProduct(query[element], key(task.tile, position, element, in: tile))
                }
                scores[position] = sum * task.scale
            }
            state.add(scores, seen) { value(task.tile, $0, $1, in: tile) }
        }
        let output = task.outputs + row * task.outputStride + head * task.tile.valueSize
        for (element, mixed) in state.normalized.enumerated() { output[element] = mixed }
    }

    /// One row and head: what the tiles so far add up to.
    private struct OnlineSoftmax {
        var largest: Float
        var sum: Float
        var mix: [Float]

        init(size: Int, sink: Float?) {
            largest = sink ?? -.infinity
            sum = sink == nil ? 0 : 1
            mix = Array(repeating: 0, count: size)
        }

        mutating func add(
            _ scores: [Float], _ seen: Range<Int>, value: (Int, Int) -> Float
        ) {
            let newLargest = max(largest, scores.max() ?? largest)
            let correction = exp(largest - newLargest)
            let weights = scores.map { exp($0 - newLargest) }
            var lanes = SIMD16<Float>(repeating: 0)
            for (position, weight) in weights.enumerated() { lanes[position % 16] += weight }
            sum = sum * correction + Reference.sum(lanes)
            for element in mix.indices {
                mix[element] *= correction
                for position in seen {
                    mix[element].addProduct(weights[position], value(position, element))
                }
            }
            largest = newLargest
        }

        var normalized: [Float] {
            let reciprocal = 1 / sum
            return mix.map { $0 * reciprocal }
        }
    }
}
