import OrderedJSON

/// A model as it lies on disk, in either format: tensors in place, settings read, tokenizer found.
package struct ModelFile: Sendable {
    /// The path that the user gave.
    package let path: String
    package let settings: ModelSettings
    package private(set) var archive: TensorArchive
    package let tokenizer: TokenizerSource
    /// The GGUF file, where it is one.
    package let gguf: GGUFFile?

    /// Opens a folder with config.json and safetensors, a .gguf file, or a .safetensors file beside
    /// its config.json.
    ///
    /// - Parameter loading: how the matrices come into memory when a `Model` takes them.
    /// - Throws: `ModelFileError`: one line with file, field and limit.
    /// - Complexity: O(headers); no tensor byte is touched.
    package static func open(
        _ path: String, loading: WeightLoading = .mapped
    ) throws(ModelFileError) -> ModelFile {
        var file = try open(mapped: path)
        file.archive = file.archive.loading(loading)
        return file
    }

    private static func open(mapped path: String) throws(ModelFileError) -> ModelFile {
        switch MappedFile.kind(of: path) {
        case .folder?: return try ModelFile(CheckpointFolder(path: path), given: path, file: nil)
        case .file? where path.hasSuffix(".safetensors"):
            return try ModelFile(CheckpointFolder(holding: path), given: path, file: path)
        default: return try ModelFile(try GGUFFile(path: path))
        }
    }

    /// The parts as they are.
    init(
        path: String, settings: ModelSettings, archive: TensorArchive, tokenizer: TokenizerSource
    ) {
        (self.path, self.settings) = (path, settings)
        (self.archive, self.tokenizer, gguf) = (archive, tokenizer, nil)
    }

    /// A GGUF file that is already open.
    ///
    /// - Throws: `missing` or `malformed` for the metadata that every model needs.
    package init(_ file: GGUFFile) throws(ModelFileError) {
        path = file.path
        settings = try ModelSettings(file)
        archive = file.archive
        tokenizer = try TokenizerSource(file)
        gguf = file
    }

    private init(
        _ folder: CheckpointFolder, given: String, file: String?
    ) throws(ModelFileError) {
        let configPath = folder.file("config.json")
        guard let config = try JSONValue.ifPresent(path: configPath) else {
            throw ModelFileError(
                .missing, file: given,
                "\(configPath) is missing; a Hugging Face model needs its config.json")
        }
        path = given
        settings = try ModelSettings(config: config, file: configPath)
        archive = try folder.archive(of: file)
        tokenizer = try TokenizerSource(folder, config: config)
        gguf = nil
    }
}
