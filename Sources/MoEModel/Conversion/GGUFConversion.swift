package import ModelFiles
import Tensors

/// A model as a GGUF file holds it: metadata and tensors under llama.cpp's names and in its
/// layouts, from a GGUF file or a Hugging Face folder. Only headers and settings are read yet.
package struct GGUFConversion: Sendable {
    /// In order; without what says how tensors are quantised.
    package let metadata: [GGUFMetadataEntry]
    package let tensors: [ConvertedTensor]
    /// What the new file does not say or hold, one sentence each.
    package let notes: [String]
    private let file: String

    /// - Throws: `ModelFileError` or `TokenizerError`: what is missing, malformed, unknown, or
    ///   cannot be said in GGUF.
    /// - Complexity: O(headers + tokenizer).
    package init(_ source: ModelFile) throws {
        file = source.path
        if let gguf = source.gguf {
            metadata = try GGUFMetadataEntry.read(path: gguf.path).filter {
                !Self.isOfOldFile($0.key)
            }
            tensors = gguf.archive.entries.map { ConvertedTensor($0) }
            notes = []
        } else {
            let architecture = try Architecture.named(by: source.settings)
            let target = try Architecture.ggufTarget(of: architecture, source.settings)
            let configuration = try architecture.configure(
                ConfigurationReader(
                    settings: source.settings, archive: source.archive,
                    names: architecture.huggingFace))
            var writer = MetadataWriter(
                settings: source.settings, configuration: configuration,
                architecture: target.ggufName ?? "")
            try writer.addAll(name: Self.name(of: source.path))
            metadata =
                writer.entries
                + (try source.tokenizerMetadata(vocabulary: configuration.vocabulary))
            var lister = TensorLister(
                archive: source.archive, names: architecture.huggingFace, target: target,
                configuration: configuration)
            tensors = try lister.all(
                tiesEmbeddings: try source.settings.boolean(.tiesEmbeddings))
            notes = writer.notes + lister.unused
        }
    }

    /// What is to be written: all metadata, and the tensors with the formats they get.
    ///
    /// - Throws: `unsupported` where a tensor would become a format that can only be copied.
    package func plan(
        _ formats: TensorFormats
    ) throws(ModelFileError) -> ([GGUFMetadataEntry], [PlannedTensor]) {
        // 2 is the version of block layouts since 2023 (GGML_QNT_VERSION).
        let described =
            metadata + [
                GGUFMetadataEntry("general.quantization_version", 2),
                GGUFMetadataEntry("general.file_type", formats.fileType),
            ]
        return (described, try formats.plan(tensors, of: file))
    }

    /// Keys that describe how the source was laid out and quantised.
    private static func isOfOldFile(_ key: String) -> Bool {
        key == "general.file_type" || key == "general.quantization_version"
            || key == "general.alignment" || key.hasPrefix("split.")
            || key.hasPrefix("quantize.imatrix.")
    }

    /// The last component of a path, for `general.name`.
    private static func name(of path: String) -> String {
        path.split(separator: "/").last { $0 != "." }.map(String.init) ?? "model"
    }
}

extension Architecture {
    /// The description that reads the GGUF files of `architecture`: llama's for Mixtral,
    /// DeepSeek-V2's for V3.
    ///
    /// - Throws: `unsupported` where there is none.
    fileprivate static func ggufTarget(
        of architecture: Architecture, _ settings: ModelSettings
    ) throws(ModelFileError) -> Architecture {
        guard architecture.ggufName == nil else { return architecture }
        switch architecture.modelType {
        case "mixtral": return llama
        case "deepseek_v3": return deepSeekV2
        default:
            throw ModelFileError(
                .unsupported, file: settings.file,
                "field model_type: \"\(settings.architecture)\" has no form in GGUF")
        }
    }
}
