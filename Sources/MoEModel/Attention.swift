import Tensors

/// Causal grouped-query attention with rotary positions.
struct Attention: Sendable {
    let configuration: AttentionConfiguration
    let rotary: RotaryEmbedding
    /// `[(heads · headSize) × hidden]`
    let query: QuantizedMatrix
    /// `[(keyValueHeads · headSize) × hidden]`
    let key: QuantizedMatrix
    /// `[(keyValueHeads · headSize) × hidden]`
    let value: QuantizedMatrix
    /// `[hidden × (heads · headSize)]`
    let outputProjection: QuantizedMatrix

    /// Attention of new rows over all positions up to each of them.
    ///
    /// - Parameters:
    ///   - inputs: `[tokens × hidden]`, normalised, at consecutive new positions.
    ///   - cache: this layer's earlier positions; the new ones are appended.
    /// - Returns: `[tokens × hidden]`.
    /// - Complexity: four products, and O(tokens × positions × heads × headSize).
    func output(_ inputs: Activations, cache: inout KeyValueCache.Layer) -> Matrix {
        let width = configuration.keyValueHeads * configuration.headSize
        let firstPosition = cache.keys.count / width
        var queries = product(query, inputs)
        var keys = product(key, inputs)
        rotary.rotate(&queries, headSize: configuration.headSize, firstPosition: firstPosition)
        rotary.rotate(&keys, headSize: configuration.headSize, firstPosition: firstPosition)
        cache.keys += keys.values
        cache.values += product(value, inputs).values
        let mixed = attend(queries, cache: cache, firstPosition: firstPosition)
        return product(outputProjection, Activations(mixed))
    }
}
