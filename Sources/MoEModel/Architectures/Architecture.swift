import ModelFiles

/// An architecture that martlet knows: how its settings become a configuration, and what its
/// weights are called.
struct Architecture: Sendable {
    /// `general.architecture` in GGUF files, or nil where another description reads those.
    let ggufName: String?
    /// `model_type` in config.json; nil where the architecture is GGUF's alone.
    let modelType: String?
    /// Names in GGUF files.
    var gguf = WeightNames.gguf
    /// Names in Hugging Face files.
    var huggingFace = WeightNames.huggingFace
    /// Reads and checks the settings.
    let configure: @Sendable (ConfigurationReader) throws(ModelFileError) -> ModelConfiguration

    /// Every known architecture; one file each.
    static let all = [
        llama, mixtral, olmoe, qwen2MoE, qwen3, qwen3MoE, deepSeekV2, deepSeekV3, gptOSS, glm4MoE,
    ]

    /// The architecture that the settings name.
    ///
    /// - Throws: `unsupported` with the list of known ones.
    static func named(by settings: ModelSettings) throws(ModelFileError) -> Architecture {
        let name: (Architecture) -> String? =
            settings.isGGUF ? { $0.ggufName } : { $0.modelType }
        guard let known = all.first(where: { name($0) == settings.architecture }) else {
            let names = all.compactMap(name).joined(separator: ", ")
            let field = settings.isGGUF ? "metadata general.architecture" : "field model_type"
            throw ModelFileError(
                .unsupported, file: settings.file,
                "\(field): \"\(settings.architecture)\" is not supported; known: \(names)")
        }
        return known
    }

    /// The weight names of the kind of file that the settings came from.
    func names(_ settings: ModelSettings) -> WeightNames {
        settings.isGGUF ? gguf : huggingFace
    }
}
