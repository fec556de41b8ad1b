package import ModelFiles
package import SystemModel

/// A model as opened from its file: the dense part, and the experts beside it.
package struct Model: Sendable {
    package let transformer: Transformer
    /// Per layer the experts in order; empty for a dense layer. Bytes stay in the file's mapping.
    package let experts: [[ExpertWeights]]

    /// Opens a model of a known architecture; nothing but norms and biases is read yet, and what
    /// has to be transposed is copied.
    ///
    /// - Throws: `ModelFileError`: what is missing, malformed or unknown, with the known names.
    package init(_ file: ModelFile) throws(ModelFileError) {
        let architecture = try Architecture.named(by: file.settings)
        let names = architecture.names(file.settings)
        let reader = ConfigurationReader(
            settings: file.settings, archive: file.archive, names: names)
        let weights = WeightReader(
            archive: file.archive, names: names,
            configuration: try architecture.configure(reader),
            tiesEmbeddings: try file.settings.boolean(.tiesEmbeddings))
        transformer = try weights.transformer()
        experts = try weights.experts()
    }

    /// Opens a GGUF file that is already read.
    ///
    /// - Throws: as for a `ModelFile`.
    package init(_ file: GGUFFile) throws(ModelFileError) {
        try self.init(ModelFile(file))
    }

    package var configuration: ModelConfiguration { transformer.configuration }

    /// The model's own choice of experts; a dense model never asks it.
    package var selector: any ExpertSelector {
        TopKSelector(
            configuration.experts
                ?? ExpertsConfiguration(count: 0, perToken: 0, inner: 0, normalizesWeights: false))
    }

    /// The sizes that placement needs.
    package var shape: ModelShape {
        ModelShape(
            layers: configuration.layers,
            experts: configuration.experts?.count ?? 0,
            expertsPerToken: configuration.experts?.perToken ?? 0,
            hidden: configuration.hidden,
            expertBytes: experts.map { $0.first?.byteCount ?? 0 })
    }
}
