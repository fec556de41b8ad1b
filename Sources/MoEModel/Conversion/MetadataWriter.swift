import Foundation
import ModelFiles

/// Says a model's configuration in GGUF's metadata, as llama.cpp's converter does.
struct MetadataWriter {
    let settings: ModelSettings
    let configuration: ModelConfiguration
    /// `general.architecture`, the prefix of most keys.
    let architecture: String
    private(set) var entries: [GGUFMetadataEntry] = []
    /// What GGUF or its readers cannot be told.
    private(set) var notes: [String] = []

    init(settings: ModelSettings, configuration: ModelConfiguration, architecture: String) {
        self.settings = settings
        self.configuration = configuration
        self.architecture = architecture
    }

    /// - Throws: `unsupported` for a configuration that GGUF has no words for.
    mutating func addAll(name: String) throws(ModelFileError) {
        entries.append(GGUFMetadataEntry("general.architecture", architecture))
        entries.append(GGUFMetadataEntry("general.type", "model"))
        entries.append(GGUFMetadataEntry("general.name", name))
        addSizes()
        switch configuration.attention {
        case .groupedQuery(let attention): addGroupedQuery(attention)
        case .latent(let attention): try addLatent(attention)
        }
        try addWindow()
        try addRotary()
        if let experts = configuration.experts { try addExperts(experts) }
    }

    private mutating func addSizes() {
        put(.vocabulary, configuration.vocabulary)
        put(.layers, configuration.layers)
        put(.contextLength, configuration.contextLength)
        put(.hidden, configuration.hidden)
        let inner = configuration.denseInner
        put(.denseInner, inner > 0 ? inner : configuration.experts?.inner ?? 0)
        put(.normEpsilon, Double(configuration.normEpsilon))
    }

    private mutating func addGroupedQuery(_ attention: GroupedQueryConfiguration) {
        put(.heads, attention.heads)
        put(.keyValueHeads, attention.keyValueHeads)
        put(.headSize, attention.headSize)
        put(.valueSize, attention.headSize)
        if let clamp = attention.clamp { put(.clamp, Double(clamp)) }
    }

    /// As one head of keys and values: the compressed vector and the part that turns.
    private mutating func addLatent(
        _ attention: LatentConfiguration
    ) throws(ModelFileError) {
        put(.heads, attention.heads)
        put(.keyValueHeads, 1)
        if let rank = attention.queryRank { put(.queryRank, rank) }
        put(.keyValueRank, attention.rank)
        put(.headSize, attention.rank + attention.rotarySize)
        put(.valueSize, attention.rank)
        put(.latentKeySize, attention.plainSize + attention.rotarySize)
        put(.latentValueSize, attention.valueSize)
        guard configuration.rotaries.first?.pairing == .interleaved else {
            throw settings.error(
                .unsupported, .interleavesRotary, "false has no form in GGUF; true does")
        }
    }

    /// Which layers slide is part of the architecture in GGUF: gpt-oss's even ones, all of llama's.
    private mutating func addWindow() throws(ModelFileError) {
        let windows = configuration.layerKinds.map(\.window)
        guard let window = windows.lazy.compactMap(\.self).first else { return }
        let rule: ((Int) -> Bool)? =
            switch architecture {
            case "gpt-oss": { $0 % 2 == 0 }
            case "llama": { _ in true }
            default: nil
            }
        guard let rule else {
            notes.append(
                "\(architecture) files have no window: layers that see \(window) positions here "
                    + "see all there, which differs for longer texts")
            return
        }
        guard windows.enumerated().allSatisfy({ $1 == (rule($0) ? window : nil) }) else {
            throw settings.error(
                .unsupported, .layerTypes,
                "layers slide otherwise than \(architecture) files can say")
        }
        put(.window, window)
    }

    private mutating func addRotary() throws(ModelFileError) {
        guard configuration.rotaries.count == 1, let rotary = configuration.rotaries.first else {
            throw settings.error(
                .unsupported, .rotaryBase, "one for each kind of layer has no form in GGUF")
        }
        put(.rotaryBase, rotary.base)
        put(.rotaryDimensions, rotary.dimensions)
        switch rotary.scaling {
        case .none, .divisors, .llama3: break
        case .linear(let factor):
            put(.scalingType, "linear")
            put(.scalingFactor, factor)
        case .dynamic(_, let contextLength):
            notes.append(
                "GGUF has no dynamic rotary scaling: the same up to \(contextLength) positions, "
                    + "worse beyond")
        case .yarn(let yarn): try addYaRN(yarn, magnitude: rotary.magnitude)
        }
    }

    private mutating func addYaRN(
        _ yarn: RotaryConfiguration.YaRN, magnitude: Double
    ) throws(ModelFileError) {
        put(.scalingType, "yarn")
        put(.scalingFactor, yarn.factor)
        put(.originalContext, yarn.contextLength)
        put(.fastTurns, yarn.fast)
        put(.slowTurns, yarn.slow)
        if yarn.truncates == (architecture == "gpt-oss") {
            notes.append("GGUF does not say whether YaRN's blend is rounded to whole pairs")
        }
        // Readers multiply by the usual magnitude; DeepSeek's own key replaces it.
        var usual = 0.1 * log(max(yarn.factor, 1)) + 1
        if case .latent = configuration.attention, let all = try magnitudeScaleAll(), all != 0 {
            put(.magnitudeLogarithm, 0.1 * all)
            usual = 1
        }
        let factor = magnitude / usual
        if abs(factor - 1) > 1e-6 { put(.attentionFactor, factor) }
    }

    /// `mscale_all_dim` of whichever section has it.
    private func magnitudeScaleAll() throws(ModelFileError) -> Double? {
        for key in ["rope_scaling", "rope_parameters"] {
            guard let section = settings.section(key) else { continue }
            if let number = try section.number(.magnitudeScaleAll) { return number }
        }
        return nil
    }

    private mutating func addExperts(
        _ experts: ExpertsConfiguration
    ) throws(ModelFileError) {
        put(.expertCount, experts.count)
        put(.expertsPerToken, experts.perToken)
        if architecture != "llama" { put(.expertInner, experts.inner) }
        try addNormalization(experts)
        if experts.scoring == .sigmoid || architecture == "deepseek2" {
            put(.gating, experts.scoring == .sigmoid ? 2 : 1)
        }
        if architecture == "deepseek2" || experts.weightScale != 1 {
            put(.weightScale, Double(experts.weightScale))
        }
        if let groups = experts.groups {
            put(.groupCount, groups.count)
            put(.groupsPerToken, groups.perToken)
        }
        try addPlacement(experts)
        guard case .clampedSwiGLU(let alpha, let limit) = experts.activation else { return }
        guard alpha == 1.702, limit == 7 else {
            throw settings.error(
                .unsupported, .clampedAlpha,
                "\(alpha) with limit \(limit): gpt-oss files mean 1.702, 7")
        }
    }

    /// What llama.cpp does whatever a file says, so that only others are told.
    private mutating func addNormalization(
        _ experts: ExpertsConfiguration
    ) throws(ModelFileError) {
        let fixed: [String: Bool] = [
            "llama": true, "gpt-oss": true, "qwen3moe": true, "olmoe": false, "qwen2moe": false,
        ]
        guard let fixed = fixed[architecture] else {
            return put(.normalizesWeights, experts.normalizesWeights)
        }
        guard fixed != experts.normalizesWeights else { return }
        put(.normalizesWeights, experts.normalizesWeights)
        notes.append(
            "norm_topk_prob is \(experts.normalizesWeights): martlet reads it in the new file, "
                + "llama.cpp takes \(fixed) for every \(architecture) model")
    }

    /// Which layers have experts, and those that every token visits.
    private mutating func addPlacement(
        _ experts: ExpertsConfiguration
    ) throws(ModelFileError) {
        let sparse = configuration.layerKinds.map(\.hasExperts)
        let dense = sparse.prefix { !$0 }.count
        if architecture == "deepseek2" || architecture == "glm4moe" {
            put(.leadingDenseLayers, dense)
            put(.sharedExpertCount, (configuration.sharedExpert?.inner ?? 0) / experts.inner)
        } else if let shared = configuration.sharedExpert {
            put(.sharedExpertInner, shared.inner)
        }
    }

    private mutating func put(_ name: SettingName, _ number: Int) {
        entries.append(GGUFMetadataEntry(key(name), number))
    }

    private mutating func put(_ name: SettingName, _ number: Double) {
        entries.append(GGUFMetadataEntry(key(name), number))
    }

    private mutating func put(_ name: SettingName, _ flag: Bool) {
        entries.append(GGUFMetadataEntry(key(name), flag))
    }

    private mutating func put(_ name: SettingName, _ text: String) {
        entries.append(GGUFMetadataEntry(key(name), text))
    }

    private func key(_ name: SettingName) -> String {
        guard let key = name.gguf else { preconditionFailure("The setting has a name in GGUF.") }
        return "\(architecture).\(key)"
    }
}
