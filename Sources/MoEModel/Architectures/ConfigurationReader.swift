import ModelFiles

/// Reads the settings that architectures have alike; each architecture adds what is its own.
struct ConfigurationReader {
    let settings: ModelSettings
    let archive: TensorArchive
    /// Weight names of the architecture, for what only a tensor's presence or shape tells.
    let names: WeightNames

    /// A configuration with sizes and layers set, without experts: every architecture starts here.
    ///
    /// - Parameters:
    ///   - attention: what the architecture read of its attention.
    ///   - rotary: how positions turn in all layers.
    ///   - epsilon: of the norms, where the file does not say.
    func model(
        attention: AttentionConfiguration, rotary: RotaryConfiguration, epsilon: Double = 1e-6
    ) throws(ModelFileError) -> ModelConfiguration {
        if let activation = try settings.string(.activation), activation != "silu" {
            throw settings.error(
                .unsupported, .activation, "\"\(activation)\" is not supported; silu is")
        }
        let layers = try layers()
        return ModelConfiguration(
            architecture: settings.architecture, vocabulary: try vocabulary(),
            hidden: try size(.hidden), layers: layers, contextLength: try contextLength(),
            normEpsilon: Float(try settings.number(.normEpsilon) ?? epsilon),
            attention: attention, rotaries: [rotary],
            layerKinds: Array(repeating: LayerConfiguration(hasExperts: false), count: layers),
            denseInner: try optionalSize(.denseInner) ?? 0)
    }

    /// A required size of at least 1.
    func size(
        _ name: SettingName, limit: Int = ModelLimits.width
    ) throws(ModelFileError) -> Int {
        try settings.require(name, try optionalSize(name, limit: limit))
    }

    /// A size of at least 1 under one name or, where it is not given, under another.
    func size(_ name: SettingName, else other: SettingName) throws(ModelFileError) -> Int {
        if let size = try optionalSize(name) { return size }
        return try size(other)
    }

    /// An optional size of at least 1.
    func optionalSize(
        _ name: SettingName, limit: Int = ModelLimits.width
    ) throws(ModelFileError) -> Int? {
        try settings.integer(name, in: 1...limit)
    }

    func layers() throws(ModelFileError) -> Int {
        let all = try size(.layers, limit: ModelLimits.layers)
        let predicting = try settings.integer(.predictionLayers, in: 0...all - 1) ?? 0
        return all - predicting
    }

    func contextLength() throws(ModelFileError) -> Int {
        try size(.contextLength, limit: ModelLimits.context)
    }

    /// Rows of the embedding; GGUF files need not say.
    private func vocabulary() throws(ModelFileError) -> Int {
        if let size = try optionalSize(.vocabulary) { return size }
        let name = names.resolve(.tokenEmbedding, in: archive)
        guard let rows = archive[name]?.dimensions.first else {
            throw ModelFileError(
                .missing, file: settings.file, "tensor \(name) is not in the file")
        }
        return rows
    }

    /// Grouped-query attention, its sizes checked against each other.
    func groupedQuery() throws(ModelFileError) -> GroupedQueryConfiguration {
        let hidden = try size(.hidden)
        let heads = try size(.heads, limit: ModelLimits.heads)
        let keyValueHeads = try optionalSize(.keyValueHeads, limit: ModelLimits.heads) ?? heads
        guard heads % keyValueHeads == 0 else {
            throw settings.error(
                .malformed, .heads, "\(heads) is not a multiple of \(keyValueHeads) key heads")
        }
        let headSize = try optionalSize(.headSize) ?? hidden / heads
        guard headSize >= 1 else {
            throw settings.error(.malformed, .heads, "\(heads) heads do not fit \(hidden) columns")
        }
        return GroupedQueryConfiguration(
            heads: heads, keyValueHeads: keyValueHeads, headSize: headSize)
    }

    func rotary() throws(ModelFileError) -> RotaryReader {
        RotaryReader(settings: settings, archive: archive, contextLength: try contextLength())
    }

    /// Softmax over all experts, the K largest: what most architectures have. Nil without experts.
    func experts(
        normalizesByDefault: Bool
    ) throws(ModelFileError) -> ExpertsConfiguration? {
        guard let count = try settings.integer(.expertCount, in: 0...ModelLimits.experts),
            count > 0
        else { return nil }
        return ExpertsConfiguration(
            count: count, perToken: try size(.expertsPerToken, limit: count),
            inner: try size(.expertInner, else: .denseInner),
            normalizesWeights: try settings.boolean(.normalizesWeights) ?? normalizesByDefault)
    }

    /// Groups of experts, where there is more than one.
    func groups(
        _ experts: ExpertsConfiguration, _ ranking: ExpertsConfiguration.Groups.Ranking
    ) throws(ModelFileError) -> ExpertsConfiguration.Groups? {
        guard let count = try optionalSize(.groupCount, limit: experts.count), count > 1 else {
            return nil
        }
        let perToken = try optionalSize(.groupsPerToken, limit: count) ?? count
        guard experts.count % count == 0, perToken * (experts.count / count) >= experts.perToken
        else {
            throw settings.error(
                .malformed, .groupCount,
                "\(count) groups, \(perToken) of them open, do not fit \(experts.count) experts, "
                    + "\(experts.perToken) a token")
        }
        return ExpertsConfiguration.Groups(count: count, perToken: perToken, ranking: ranking)
    }

    /// Gives sliding layers their own rotary settings, where config.json has one set for each kind.
    ///
    /// To be called when the windows are set.
    func setRotaries(
        _ reader: RotaryReader, headSize: Int, in model: inout ModelConfiguration
    ) throws(ModelFileError) {
        guard reader.differsByLayerType else { return }
        var reader = reader
        model.rotaries = []
        for type in RotaryReader.layerTypes {
            reader.layerType = type
            model.rotaries.append(
                try reader.configuration(headSize: headSize, pairing: .halves))
        }
        for index in model.layerKinds.indices {
            model.layerKinds[index].rotary = model.layerKinds[index].window == nil ? 0 : 1
        }
    }

    /// Layers that slide by `layer_types`, or by the architecture's own rule where there are none.
    func slidingLayers(
        _ count: Int, otherwise rule: (Int) -> Bool
    ) throws(ModelFileError) -> [Bool] {
        guard let types = try settings.strings(.layerTypes), !types.isEmpty else {
            return (0..<count).map(rule)
        }
        guard types.count == count,
            types.allSatisfy({ $0 == "sliding_attention" || $0 == "full_attention" })
        else {
            throw settings.error(
                .unsupported, .layerTypes,
                "must be \(count) of \"full_attention\" and \"sliding_attention\"")
        }
        return types.map { $0 == "sliding_attention" }
    }

    /// Qwen's rule: every `decoder_sparse_step`-th layer has experts but those listed as dense. A
    /// GGUF file tells by what a layer holds.
    func sparseLayers(_ count: Int) throws(ModelFileError) -> [Bool] {
        if settings.isGGUF {
            return (0..<count).map {
                archive[names.resolve(.router, layer: $0, in: archive)] != nil
            }
        }
        let step = try settings.integer(.sparseStep, in: 1...ModelLimits.layers) ?? 1
        let dense = Set(try settings.integers(.denseLayers) ?? [])
        return (0..<count).map { ($0 + 1) % step == 0 && !dense.contains($0) }
    }
}

extension ModelConfiguration {
    /// Lets the layers that `slides` marks see only `window` positions.
    mutating func setWindow(_ window: Int?, where slides: [Bool]) {
        for index in layerKinds.indices { layerKinds[index].window = slides[index] ? window : nil }
    }

    /// Gives the layers that `sparse` marks a mixture of experts.
    mutating func setExperts(_ experts: ExpertsConfiguration?, where sparse: [Bool]) {
        self.experts = experts
        guard experts != nil else { return }
        for index in layerKinds.indices { layerKinds[index].hasExperts = sparse[index] }
    }

    /// Gives all layers from `first` on a mixture of experts.
    mutating func setExperts(_ experts: ExpertsConfiguration?, from first: Int = 0) {
        setExperts(experts, where: layerKinds.indices.map { $0 >= first })
    }
}
