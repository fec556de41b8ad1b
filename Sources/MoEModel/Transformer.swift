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

    /// The precision of keys and values that suits the weights: fp16 beside quantised ones, whose
    /// own error is larger; else fp32.
    package var keyValuePrecision: KeyValuePrecision {
        embedding.format.elementsPerBlock > 1 ? .f16 : .f32
    }

    /// The weights that every pass reads: all layers' but their routed experts, and the head.
    package var matrices: [QuantizedMatrix] { layers.flatMap(\.matrices) + [head] }

    /// Advances one sequence by `ids`: a step of one.
    ///
    /// - Returns: all rows of logits `[ids × vocabulary]`, only the last, or none.
    /// - Throws: as for several sequences.
    package func forward(
        _ ids: [Int], cache: inout KeyValueCache, rows: SequenceStep.Rows,
        selector: any ExpertSelector, experts: any ExpertExecutor, timer: PhaseTimer? = nil
    ) throws -> Matrix {
        var steps = [SequenceStep(ids: ids, cache: cache, rows: rows)]
        // The step is to hold the pages alone, or it would copy what it writes to.
        cache = KeyValueCache(pool: cache.pool)
        defer { cache = steps[0].cache }
        return try forward(&steps, selector: selector, experts: experts, timer: timer)[0]
    }

    /// Advances several sequences at once.
    ///
    /// All sequences' rows are one matrix, so weights are read once for all of them; only attention
    /// looks at each sequence by itself. A sequence's result has the bits that it has alone.
    ///
    /// - Parameters:
    ///   - steps: at least one. Each cache grows by its tokens. A cache that someone else holds a
    ///     copy of is safe, but its last page is copied.
    ///   - selector: chooses experts.
    ///   - experts: runs them; may block this thread.
    ///   - timer: told when what is done.
    /// - Returns: for each step what it asked for.
    /// - Throws: `KeyValueCacheError` before anything is computed, or what `experts` throws; all
    ///   caches then hold the positions that they held before.
    /// - Complexity: O(tokens × parameters) multiplications; reads every weight it uses once.
    package func forward(
        _ steps: inout [SequenceStep], selector: any ExpertSelector, experts: any ExpertExecutor,
        timer: PhaseTimer? = nil
    ) throws -> [Matrix] {
        timer?.start()
        defer { timer?.mark(.head) }
        do {
            for index in steps.indices {
                try steps[index].cache.reserve(steps[index].ids.count)
            }
            let hidden = try hiddenStates(
                steps, selector: selector, experts: experts, timer)
            for index in steps.indices { steps[index].cache.advance(steps[index].ids.count) }
            return results(steps, hidden)
        } catch {
            for index in steps.indices { steps[index].cache.releaseUnused() }
            throw error
        }
    }

    /// The residual stream after the last layer, all sequences' rows: `[tokens × hidden]`.
    private func hiddenStates(
        _ steps: [SequenceStep], selector: any ExpertSelector, experts: any ExpertExecutor,
        _ timer: PhaseTimer?
    ) throws -> Matrix {
        let division = selector.choosesRowByRow ? experts.parts(rows: steps.rowCount) : .whole
        let pass = LayerPass(layers: layers, selector: selector, experts: experts, timer: timer)
        var whole = [part(of: steps, 0..<steps.rowCount, embed(steps.flatMap(\.ids)))]
        guard division.parts > 1 else {
            try pass.run(layers.indices, &whole)
            return whole[0].hidden
        }
        let firstLayer = min(division.firstLayer, layers.count)
        try pass.run(0..<firstLayer, &whole)
        // A sequence may be divided, since a part can reach each layer after the parts before it;
        // where a step must be read as one, sequences stay whole.
        let ranges = StepPart.ranges(
            steps.map(\.ids.count), count: division.parts, divides: stepsMayBeSplit)
        var parts = ranges.map { part(of: steps, $0, whole[0].hidden.gatheringRows(Array($0))) }
        try pass.run(firstLayer..<layers.count, &parts)
        return Matrix(
            rows: steps.rowCount, columns: embedding.columns,
            values: parts.flatMap(\.hidden.values))
    }

    private func part(
        of steps: [SequenceStep], _ range: Range<Int>, _ hidden: Matrix
    ) -> StepPart {
        StepPart(
            range: range, rows: StepRows(steps, rotaries: rotaries, range: range), hidden: hidden)
    }

    /// What each step asked for; the head is read once.
    private func results(_ steps: [SequenceStep], _ hidden: Matrix) -> [Matrix] {
        var wanted: [Range<Int>] = []
        var first = 0
        for step in steps {
            let end = first + step.ids.count
            switch step.rows {
            case .none: wanted.append(end..<end)
            case .last: wanted.append(end - 1..<end)
            case .all: wanted.append(first..<end)
            }
            first = end
        }
        let normalized = zip(steps, wanted).map { step, rows in
            rootMeanSquareNormalized(
                hidden.gatheringRows(Array(rows)), weight: outputNorm,
                epsilon: configuration.normEpsilon)
        }
        let logits = logits(
            zip(steps, normalized).filter { $0.0.result == .logits }.map { $0.1 })
        var next = 0
        return zip(steps, normalized).map { step, states in
            guard step.result == .logits else { return states }
            defer { next += states.rows }
            return logits.gatheringRows(Array(next..<next + states.rows))
        }
    }

    /// The embedding rows of `ids`: `[ids × hidden]`.
    private func embed(_ ids: [Int]) -> Matrix {
        var values: [Float] = []
        values.reserveCapacity(ids.count * embedding.columns)
        for id in ids { values += embedding.dequantizedRow(id) }
        return Matrix(rows: ids.count, columns: embedding.columns, values: values)
    }

    /// The logits of all those normalised states, one after another: `[rows × vocabulary]`.
    private func logits(_ states: [Matrix]) -> Matrix {
        let rows = states.reduce(0) { $0 + $1.rows }
        guard rows > 0 else { return Matrix(rows: 0, columns: head.rows) }
        let all = Matrix(rows: rows, columns: head.columns, values: states.flatMap(\.values))
        return product(head, Activations(all))
    }
}
