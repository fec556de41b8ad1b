package import Tensors

/// A decoder-only transformer: the dense part of the model, and the loop that runs it.
///
/// Where a layer's experts run and who is chosen are the two seams (`ExpertExecutor`,
/// `ExpertSelector`); the loop is the same on one machine, over devices and in the simulator. It is
/// synchronous and meant for one dedicated thread (`InferenceThread`): waiting for devices must not
/// hold a thread of Swift's cooperative pool.
package struct Transformer: Sendable {
    package let configuration: ModelConfiguration
    /// `[vocabulary × hidden]`
    package let embedding: QuantizedMatrix
    package let layers: [TransformerLayer]
    /// `[hidden]`
    package let outputNorm: [Float]
    /// `[vocabulary × hidden]`
    package let head: QuantizedMatrix
    /// As in `configuration.rotaries`.
    let rotaries: [RotaryEmbedding]

    /// Which rows of logits a caller wants; the head is a large product.
    package enum Rows: Sendable { case last, all }

    /// Advances one sequence by `ids` and returns logits.
    ///
    /// - Parameters:
    ///   - ids: the next tokens of the sequence, each below `configuration.vocabulary`.
    ///   - cache: the sequence's keys and values; grows by `ids.count` positions.
    ///   - rows: all rows `[ids × vocabulary]`, or only the last `[1 × vocabulary]`.
    ///   - selector: chooses experts.
    ///   - experts: runs them; may block this thread.
    /// - Throws: only what `experts` throws; the cache is then unusable.
    /// - Complexity: O(ids × parameters) multiplications; reads every weight it uses once.
    package func forward(
        _ ids: [Int], cache: inout KeyValueCache, rows: Rows,
        selector: any ExpertSelector, experts: any ExpertExecutor
    ) throws -> Matrix {
        precondition(!ids.isEmpty, "a step needs at least one token")
        var hidden = embed(ids)
        let positions = cache.positions..<cache.positions + ids.count
        let turns = rotaries.map { $0.turns(positions) }
        for (index, layer) in layers.enumerated() {
            layer.attend(&hidden, cache: &cache.layers[index], turns: turns)
            let inputs = layer.normalized(hidden)
            switch layer.feedForward {
            case .dense(let expert):
                hidden.add(expert.output(Activations(inputs)))
            case .mixture(let router):
                if let shared = layer.sharedExpert {
                    hidden.add(shared.output(Activations(inputs)))
                }
                let routing = selector.route(layer: index, routerLogits: router.logits(inputs))
                hidden.add(try experts.mixture(layer: index, inputs: inputs, routing: routing))
            }
        }
        cache.positions = positions.upperBound
        return logits(rows == .all ? hidden : hidden.gatheringRows([hidden.rows - 1]))
    }

    /// The embedding rows of `ids`: `[ids × hidden]`.
    private func embed(_ ids: [Int]) -> Matrix {
        var values: [Float] = []
        values.reserveCapacity(ids.count * embedding.columns)
        for id in ids { values += embedding.dequantizedRow(id) }
        return Matrix(rows: ids.count, columns: embedding.columns, values: values)
    }

    /// `[rows × vocabulary]`
    private func logits(_ hidden: Matrix) -> Matrix {
        let normalized = rootMeanSquareNormalized(
            hidden, weight: outputNorm, epsilon: configuration.normEpsilon)
        return product(head, Activations(normalized))
    }
}
