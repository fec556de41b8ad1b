import ModelFiles
import Tensors

/// Finds a model's weights by their GGUF names and checks every shape.
struct WeightReader {
    let archive: TensorArchive
    let configuration: ModelConfiguration

    func transformer() throws(ModelFileError) -> Transformer {
        let (vocabulary, hidden) = (configuration.vocabulary, configuration.hidden)
        let embedding = try archive.matrix(
            "token_embd.weight", rows: vocabulary, columns: hidden)
        var layers: [TransformerLayer] = []
        for index in 0..<configuration.layers { layers.append(try layer(index)) }
        // A file without a head ties it to the embedding.
        let head =
            archive["output.weight"] == nil
            ? embedding
            : try archive.matrix("output.weight", rows: vocabulary, columns: hidden)
        return Transformer(
            configuration: configuration, embedding: embedding, layers: layers,
            outputNorm: try archive.vector("output_norm.weight", count: hidden), head: head)
    }

    /// Per layer the routed experts in order; empty for a dense layer.
    func experts() throws(ModelFileError) -> [[ExpertWeights]] {
        var layers: [[ExpertWeights]] = []
        for index in 0..<configuration.layers { layers.append(try experts(ofLayer: index)) }
        return layers
    }

    private func layer(_ index: Int) throws(ModelFileError) -> TransformerLayer {
        let hidden = configuration.hidden
        return TransformerLayer(
            attentionNorm: try archive.vector("blk.\(index).attn_norm.weight", count: hidden),
            attention: try attention(index),
            feedForwardNorm: try archive.vector("blk.\(index).ffn_norm.weight", count: hidden),
            epsilon: configuration.normEpsilon,
            feedForward: try feedForward(index))
    }

    private func attention(_ index: Int) throws(ModelFileError) -> Attention {
        let (hidden, attention) = (configuration.hidden, configuration.attention)
        let queries = attention.heads * attention.headSize
        let keys = attention.keyValueHeads * attention.headSize
        let name = "blk.\(index).attn_"
        return Attention(
            configuration: attention,
            rotary: RotaryEmbedding(attention.rotary),
            query: try archive.matrix(name + "q.weight", rows: queries, columns: hidden),
            key: try archive.matrix(name + "k.weight", rows: keys, columns: hidden),
            value: try archive.matrix(name + "v.weight", rows: keys, columns: hidden),
            outputProjection: try archive.matrix(
                name + "output.weight", rows: hidden, columns: queries))
    }

    private func feedForward(
        _ index: Int
    ) throws(ModelFileError) -> TransformerLayer.FeedForward {
        let hidden = configuration.hidden
        guard let experts = configuration.experts else {
            let (name, inner) = ("blk.\(index).ffn_", configuration.denseInner)
            return .dense(
                ExpertWeights(
                    gate: try archive.matrix(name + "gate.weight", rows: inner, columns: hidden),
                    up: try archive.matrix(name + "up.weight", rows: inner, columns: hidden),
                    down: try archive.matrix(name + "down.weight", rows: hidden, columns: inner)))
        }
        return .mixture(
            Router(
                weights: try archive.matrix(
                    "blk.\(index).ffn_gate_inp.weight", rows: experts.count, columns: hidden)))
    }

    private func experts(ofLayer index: Int) throws(ModelFileError) -> [ExpertWeights] {
        guard let experts = configuration.experts else { return [] }
        let (name, hidden) = ("blk.\(index).ffn_", configuration.hidden)
        let (count, inner) = (experts.count, experts.inner)
        let gates = try archive.matrices(
            name + "gate_exps.weight", count: count, rows: inner, columns: hidden)
        let ups = try archive.matrices(
            name + "up_exps.weight", count: count, rows: inner, columns: hidden)
        let downs = try archive.matrices(
            name + "down_exps.weight", count: count, rows: hidden, columns: inner)
        return (0..<count).map {
            ExpertWeights(gate: gates[$0], up: ups[$0], down: downs[$0])
        }
    }
}
