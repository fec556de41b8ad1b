import OrderedJSON
package import Tensors

extension ModelFile {
    /// The same checkpoint with another config.json.
    ///
    /// - Parameter config: the file's bytes.
    /// - Throws: `ModelFileError`, as for opening a folder with such a file.
    package func replacing(config: [UInt8]) throws(ModelFileError) -> ModelFile {
        let file = settings.file
        let config = try JSONValue(config, rules: JSONLimits.file, file: file)
        return ModelFile(
            path: path, settings: try ModelSettings(config: config, file: file), archive: archive,
            tokenizer: try TokenizerSource(CheckpointFolder(holding: file), config: config))
    }

    /// The same checkpoint with its tensors in another safetensors file.
    ///
    /// - Parameter safeTensors: the file's bytes.
    /// - Throws: `ModelFileError`, as for opening a folder with such a file.
    package func replacing(safeTensors: WeightBytes) throws(ModelFileError) -> ModelFile {
        let file = try SafeTensorsFile(bytes: safeTensors, file: archive.file)
        return ModelFile(
            path: path, settings: settings,
            archive: try TensorArchive(
                file: archive.file, entries: file.entries, others: file.others),
            tokenizer: tokenizer)
    }
}
