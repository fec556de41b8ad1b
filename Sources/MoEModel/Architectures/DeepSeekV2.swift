import ModelFiles

extension Architecture {
    /// DeepSeek-V2 (2024). GGUF knows V3 as "deepseek2" too and tells them apart by the gating.
    static var deepSeekV2: Architecture {
        Architecture(ggufName: "deepseek2", modelType: "deepseek_v2") {
            (reader) throws(ModelFileError) in
            var model = try reader.deepSeek(pairing: .interleaved)
            guard var experts = try reader.experts(normalizesByDefault: false) else { return model }
            // transformers never normalises V2's weights, whatever norm_topk_prob says.
            if !reader.settings.isGGUF { experts.normalizesWeights = false }
            experts.weightScale = Float(try reader.settings.number(.weightScale) ?? 1)
            experts.scoring = try reader.gating(default: .softmax)
            if try reader.limitsGroups() {
                experts.groups = try reader.groups(
                    experts, experts.scoring == .sigmoid ? .sumOfTwoLargest : .largest)
            }
            try reader.addDeepSeekExperts(experts, to: &model)
            return model
        }
    }
}

extension ConfigurationReader {
    /// Latent attention and rotary positions, without experts.
    func deepSeek(
        pairing: RotaryConfiguration.Pairing
    ) throws(ModelFileError) -> ModelConfiguration {
        let rotary = try rotary()
        let attention = try latent(scale: rotary.latentScale())
        return try model(
            attention: .latent(attention),
            rotary: try rotary.configuration(headSize: attention.rotarySize, pairing: pairing))
    }

    /// Dense layers first, then experts beside shared ones.
    func addDeepSeekExperts(
        _ experts: ExpertsConfiguration, to model: inout ModelConfiguration
    ) throws(ModelFileError) {
        let dense = try settings.integer(.leadingDenseLayers, in: 0...ModelLimits.layers) ?? 0
        model.setExperts(experts, from: dense)
        if let count = try settings.integer(.sharedExpertCount, in: 0...ModelLimits.experts),
            count > 0
        {
            model.sharedExpert = SharedExpertConfiguration(
                inner: count * experts.inner, isGated: false)
        }
    }

    /// GGUF's gating function.
    func gating(
        default scoring: ExpertsConfiguration.Scoring
    ) throws(ModelFileError) -> ExpertsConfiguration.Scoring {
        switch try settings.integer(.gating, in: 0...2) {
        case 1: .softmax
        case 2: .sigmoid
        default: scoring
        }
    }

    /// Whether `topk_method` limits a token to some groups; GGUF files say it by the groups.
    fileprivate func limitsGroups() throws(ModelFileError) -> Bool {
        guard !settings.isGGUF else { return true }
        let method = try settings.string(.choiceMethod) ?? "greedy"
        guard method == "greedy" || method == "group_limited_greedy" else {
            throw settings.error(
                .unsupported, .choiceMethod,
                "\"\(method)\" is not supported; greedy and group_limited_greedy are")
        }
        return method == "group_limited_greedy"
    }

    /// - Parameter scale: factor of the scores beside the usual one.
    private func latent(scale: Double) throws(ModelFileError) -> LatentConfiguration {
        let turning = try size(.rotaryKeySize)
        let plain = try plainKeySize(beside: turning)
        return LatentConfiguration(
            heads: try size(.heads, limit: ModelLimits.heads),
            queryRank: try optionalSize(.queryRank), rank: try size(.keyValueRank),
            plainSize: plain, rotarySize: turning,
            valueSize: try size(.latentValueSize, else: .valueSize),
            scale: Float(scale / Double(plain + turning).squareRoot()))
    }

    /// Elements of a key that do not turn. GGUF files give the whole key's size, older ones as
    /// `key_length`.
    private func plainKeySize(beside turning: Int) throws(ModelFileError) -> Int {
        if let given = try optionalSize(.plainKeySize) { return given }
        let whole = try size(.latentKeySize, else: .headSize)
        guard whole > turning else {
            throw settings.error(
                .malformed, .latentKeySize, "\(whole) has no room beside \(turning) that turn")
        }
        return whole - turning
    }
}
