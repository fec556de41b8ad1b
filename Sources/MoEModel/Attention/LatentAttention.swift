import Tensors

/// Multi-head latent attention with a compressed cache (DeepSeek-V2, 2024, section 2.1).
///
/// A position keeps one vector of `rank` elements, from which every head's key and value would
/// follow by a matrix, and one rotated key that all heads share. The key matrix is applied to the
/// query instead (`q · (K c) = (Kᵀ q) · c`) and the value matrix to the mixed vectors, so the cache
/// is never expanded.
struct LatentAttention: Attention {
    let configuration: LatentConfiguration
    let window: Int?
    let query: LatentQuery
    /// `[(rank + rotarySize) × hidden]`
    let compression: Projection
    /// `[rank]`
    let compressionNorm: [Float]
    /// Per head `[rank × plainSize]`: the key matrix, transposed.
    let keys: [QuantizedMatrix]
    /// Per head `[valueSize × rank]`.
    let values: [QuantizedMatrix]
    /// `[hidden × (heads · valueSize)]`
    let outputProjection: Projection

    /// ε of the norms of compressed vectors, whatever the model's other norms have.
    static let normEpsilon: Float = 1e-6

    var matrices: [QuantizedMatrix] {
        query.matrices + [compression.weights] + keys + values + [outputProjection.weights]
    }

    /// - Complexity: O(tokens × positions × heads × (2 · rank + rotarySize)).
    func output(
        _ inputs: Activations, layer: Int, rows: StepRows, turns: RotaryTurns
    ) -> Matrix {
        let keys = compressed(inputs, turns)
        HeadAttention.store(keys: keys, values: keys, layer: layer, rows)
        let heads = HeadAttention(
            heads: configuration.heads, scale: configuration.scale, window: window, sinks: [])
        let mixed = heads.attend(absorbedQueries(inputs, turns), layer: layer, rows)
        var outputs = Matrix(
            rows: inputs.rows, columns: configuration.heads * configuration.valueSize)
        for (head, matrix) in values.enumerated() {
            let part = mixed.columns(from: head * configuration.rank, count: configuration.rank)
            outputs.replaceColumns(
                from: head * configuration.valueSize, by: product(matrix, Activations(part)))
        }
        return outputProjection(Activations(outputs))
    }

    /// What the cache keeps of each row: `[tokens × (rank + rotarySize)]`.
    private func compressed(_ inputs: Activations, _ turns: RotaryTurns) -> Matrix {
        var rows = compression(inputs)
        let latent = rows.columns(from: 0, count: configuration.rank)
        rows.replaceColumns(
            from: 0,
            by: rootMeanSquareNormalized(
                latent, weight: compressionNorm, epsilon: Self.normEpsilon))
        turns.rotate(&rows, headSize: rows.columns, offset: configuration.rank)
        return rows
    }

    /// Queries as the cache's rows are: `[tokens × heads · (rank + rotarySize)]`.
    private func absorbedQueries(_ inputs: Activations, _ turns: RotaryTurns) -> Matrix {
        let (plain, turning) = (configuration.plainSize, configuration.rotarySize)
        let width = configuration.rank + turning
        var queries = query(inputs)
        turns.rotate(&queries, headSize: plain + turning, offset: plain)
        var absorbed = Matrix(rows: queries.rows, columns: configuration.heads * width)
        for (head, matrix) in keys.enumerated() {
            let start = head * (plain + turning)
            let part = queries.columns(from: start, count: plain)
            absorbed.replaceColumns(
                from: head * width, by: product(matrix, Activations(part)))
            absorbed.replaceColumns(
                from: head * width + configuration.rank,
                by: queries.columns(from: start + plain, count: turning))
        }
        return absorbed
    }
}

/// What makes a latent layer's queries: `[tokens × heads · (plainSize + rotarySize)]`.
enum LatentQuery: Sendable {
    case direct(Projection)
    /// Down to a short vector, its norm, and up again.
    case compressed(down: Projection, norm: [Float], up: Projection)

    var matrices: [QuantizedMatrix] {
        switch self {
        case .direct(let projection): [projection.weights]
        case .compressed(let down, _, let up): [down.weights, up.weights]
        }
    }

    func callAsFunction(_ inputs: Activations) -> Matrix {
        switch self {
        case .direct(let projection): return projection(inputs)
        case .compressed(let down, let norm, let up):
            let short = rootMeanSquareNormalized(
                down(inputs), weight: norm, epsilon: LatentAttention.normEpsilon)
            return up(Activations(short))
        }
    }
}
