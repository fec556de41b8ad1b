import Tensors

/// Causal grouped-query attention with rotary positions (Ainslie et al. 2023).
struct GroupedQueryAttention: Attention {
    let configuration: GroupedQueryConfiguration
    /// A position sees itself and the `window - 1` before it; nil sees all.
    let window: Int?
    /// `[(heads · headSize) × hidden]`
    let query: Projection
    /// `[(keyValueHeads · headSize) × hidden]`
    let key: Projection
    /// `[(keyValueHeads · headSize) × hidden]`
    let value: Projection
    /// `[hidden × (heads · headSize)]`
    let outputProjection: Projection
    /// Nil where nothing is normalised.
    let norms: QueryKeyNorms?
    /// `[heads]`, or empty.
    let sinks: [Float]

    var matrices: [QuantizedMatrix] {
        [query, key, value, outputProjection].map(\.weights)
    }

    /// - Complexity: four products, and O(tokens × positions × heads × headSize).
    func output(
        _ inputs: Activations, layer: Int, rows: StepRows, turns: RotaryTurns
    ) -> Matrix {
        let size = configuration.headSize
        var (queries, keys, values) = Projection.outputs(query, key, value, inputs)
        if let norms { norms.apply(&queries, &keys) }
        if let limit = configuration.clamp {
            queries.clamp(to: limit)
            keys.clamp(to: limit)
            values.clamp(to: limit)
        }
        turns.rotate(&queries, headSize: size)
        turns.rotate(&keys, headSize: size)
        HeadAttention.store(keys: keys, values: values, layer: layer, rows)
        let heads = HeadAttention(
            heads: configuration.heads, scale: 1 / Float(size).squareRoot(), window: window,
            sinks: sinks)
        let mixed = heads.attend(queries, layer: layer, rows)
        return outputProjection(Activations(mixed))
    }
}

/// The norms of queries and keys before they turn.
struct QueryKeyNorms: Sendable {
    /// One weight per element of what is normalised together: a head, or all heads of a row.
    let query: [Float]
    /// As `query`, for keys.
    let key: [Float]
    let epsilon: Float

    func apply(_ queries: inout Matrix, _ keys: inout Matrix) {
        queries = normalized(queries, query)
        keys = normalized(keys, key)
    }

    /// Each run of `weight.count` elements is a row of its own.
    private func normalized(_ matrix: Matrix, _ weight: [Float]) -> Matrix {
        let runs = Matrix(
            rows: matrix.values.count / weight.count, columns: weight.count, values: matrix.values)
        let result = rootMeanSquareNormalized(runs, weight: weight, epsilon: epsilon)
        return Matrix(rows: matrix.rows, columns: matrix.columns, values: result.values)
    }
}
