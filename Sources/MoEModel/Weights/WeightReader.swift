import ModelFiles
import Tensors

/// Finds a model's weights by their names and checks every shape.
struct WeightReader {
    let archive: TensorArchive
    let names: WeightNames
    let configuration: ModelConfiguration
    /// Whether the head is the embedding; nil where the file does not say.
    let tiesEmbeddings: Bool?

    func transformer() throws(ModelFileError) -> Transformer {
        let (vocabulary, hidden) = (configuration.vocabulary, configuration.hidden)
        let ties = tiesEmbeddings ?? (archive[name(.head)] == nil)
        let embedding = try archive.matrix(
            name(.tokenEmbedding), rows: vocabulary, columns: hidden, isLookedUp: !ties)
        var layers: [TransformerLayer] = []
        for index in 0..<configuration.layers { layers.append(try layer(index)) }
        return Transformer(
            configuration: try configurationWithBias(), embedding: embedding, layers: layers,
            outputNorm: try vector(.outputNorm, count: hidden),
            head: ties ? embedding : try matrix(.head, rows: vocabulary, columns: hidden),
            rotaries: configuration.rotaries.map { RotaryEmbedding($0) })
    }

    /// Per layer the routed experts in order; empty for a dense layer.
    func experts() throws(ModelFileError) -> [[ExpertWeights]] {
        guard let experts = configuration.experts else {
            return Array(repeating: [], count: configuration.layers)
        }
        let reader = ExpertReader(
            archive: archive.ofExperts, names: names, experts: experts, hidden: configuration.hidden
        )
        var layers: [[ExpertWeights]] = []
        for (index, kind) in configuration.layerKinds.enumerated() {
            layers.append(kind.hasExperts ? try reader.experts(ofLayer: index) : [])
        }
        return layers
    }

    private func layer(_ index: Int) throws(ModelFileError) -> TransformerLayer {
        let hidden = configuration.hidden
        return TransformerLayer(
            attentionNorm: try vector(.attentionNorm, index, count: hidden),
            attention: try attention(index),
            feedForwardNorm: try vector(.feedForwardNorm, index, count: hidden),
            epsilon: configuration.normEpsilon,
            feedForward: try feedForward(index),
            sharedExpert: try sharedExpert(index),
            rotary: configuration.layerKinds[index].rotary)
    }

    private func attention(_ index: Int) throws(ModelFileError) -> any Attention {
        switch configuration.attention {
        case .groupedQuery(let attention): try groupedQuery(index, attention)
        case .latent(let attention): try latent(index, attention)
        }
    }

    private func groupedQuery(
        _ index: Int, _ attention: GroupedQueryConfiguration
    ) throws(ModelFileError) -> GroupedQueryAttention {
        let hidden = configuration.hidden
        let queries = attention.heads * attention.headSize
        let keys = attention.keyValueHeads * attention.headSize
        return GroupedQueryAttention(
            configuration: attention, window: configuration.layerKinds[index].window,
            query: try projection(.query, index, rows: queries, columns: hidden),
            key: try projection(.key, index, rows: keys, columns: hidden),
            value: try projection(.value, index, rows: keys, columns: hidden),
            outputProjection: try projection(
                .attentionOutput, index, rows: hidden, columns: queries),
            norms: try norms(index, attention),
            sinks: attention.hasSinks ? try vector(.sinks, index, count: attention.heads) : [])
    }

    private func norms(
        _ index: Int, _ attention: GroupedQueryConfiguration
    ) throws(ModelFileError) -> QueryKeyNorms? {
        let size = attention.headSize
        let counts: (query: Int, key: Int)
        switch attention.norm {
        case .none: return nil
        case .heads: counts = (size, size)
        case .rows: counts = (attention.heads * size, attention.keyValueHeads * size)
        }
        return QueryKeyNorms(
            query: try vector(.queryNorm, index, count: counts.query),
            key: try vector(.keyNorm, index, count: counts.key),
            epsilon: configuration.normEpsilon)
    }

    private func feedForward(
        _ index: Int
    ) throws(ModelFileError) -> TransformerLayer.FeedForward {
        let hidden = configuration.hidden
        guard let experts = configuration.experts, configuration.layerKinds[index].hasExperts else {
            return .dense(
                try expert(index, (.gate, .up, .down), inner: configuration.denseInner))
        }
        return .mixture(
            Router(
                projection: try projection(.router, index, rows: experts.count, columns: hidden)))
    }

    private func sharedExpert(_ index: Int) throws(ModelFileError) -> SharedExpert? {
        guard let shared = configuration.sharedExpert, configuration.layerKinds[index].hasExperts
        else { return nil }
        let gate =
            shared.isGated
            ? try sharedExpertGate(index) : nil
        return SharedExpert(
            weights: try expert(
                index, (.sharedGate, .sharedUp, .sharedDown), inner: shared.inner),
            gate: gate)
    }

    /// `[1 × hidden]`; GGUF files hold it as a vector or as a matrix.
    private func sharedExpertGate(_ index: Int) throws(ModelFileError) -> QuantizedMatrix {
        let hidden = configuration.hidden
        let name = name(.sharedExpertGate, index)
        guard archive[name]?.dimensions.count == 1 else {
            return try archive.matrix(name, rows: 1, columns: hidden)
        }
        let values = try archive.vector(name, count: hidden)
        return QuantizedMatrix(Matrix(rows: 1, columns: hidden, values: values))
    }

    /// A dense feed-forward or a shared expert.
    private func expert(
        _ index: Int, _ weights: (gate: Weight, up: Weight, down: Weight), inner: Int
    ) throws(ModelFileError) -> ExpertWeights {
        let hidden = configuration.hidden
        let gate = try projection(weights.gate, index, rows: inner, columns: hidden)
        let up = try projection(weights.up, index, rows: inner, columns: hidden)
        let down = try projection(weights.down, index, rows: hidden, columns: inner)
        let biases =
            gate.bias.isEmpty || up.bias.isEmpty || down.bias.isEmpty
            ? nil : ExpertWeights.Biases(gate: gate.bias, up: up.bias, down: down.bias)
        return ExpertWeights(
            gate: gate.weights, up: up.weights, down: down.weights, biases: biases)
    }

    /// The configuration with each layer's bias of the choice, which stands among the weights.
    private func configurationWithBias() throws(ModelFileError) -> ModelConfiguration {
        guard let experts = configuration.experts, experts.scoring == .sigmoid else {
            return configuration
        }
        var biases: [[Float]] = []
        for (index, kind) in configuration.layerKinds.enumerated() {
            let isThere = kind.hasExperts && archive[name(.selectionBias, index)] != nil
            biases.append(
                isThere ? try vector(.selectionBias, index, count: experts.count) : [])
        }
        var configuration = configuration
        configuration.experts?.selectionBias = biases
        return configuration
    }

    func name(_ weight: Weight, _ layer: Int = 0) -> String {
        names.resolve(weight, layer: layer, in: archive)
    }

    func matrix(
        _ weight: Weight, _ layer: Int = 0, rows: Int, columns: Int
    ) throws(ModelFileError) -> QuantizedMatrix {
        try archive.matrix(name(weight, layer), rows: rows, columns: columns)
    }

    func vector(
        _ weight: Weight, _ layer: Int = 0, count: Int
    ) throws(ModelFileError) -> [Float] {
        try archive.vector(name(weight, layer), count: count)
    }

    /// A matrix with the bias of the same name, where the file has one.
    func projection(
        _ weight: Weight, _ layer: Int, rows: Int, columns: Int
    ) throws(ModelFileError) -> Projection {
        let matrix = try matrix(weight, layer, rows: rows, columns: columns)
        let bias = name(weight, layer).dropLast("weight".count) + "bias"
        guard archive[String(bias)] != nil else { return Projection(matrix) }
        return Projection(matrix, bias: try archive.vector(String(bias), count: rows))
    }
}
