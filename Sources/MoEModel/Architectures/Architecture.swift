import ModelFiles

/// An architecture that martlet knows: how its metadata become a configuration.
struct Architecture: Sendable {
    /// `general.architecture` in GGUF files.
    let name: String
    /// Reads and checks the metadata.
    let configuration: @Sendable (GGUFFile) throws(ModelFileError) -> ModelConfiguration

    /// Every known architecture; one file each.
    static let all = [llama]

    /// The architecture that `file` says it has.
    ///
    /// - Throws: `unsupported` with the list of known ones.
    init(of file: GGUFFile) throws(ModelFileError) {
        let name = try file.require(
            "general.architecture", try file.string("general.architecture"))
        guard let known = Self.all.first(where: { $0.name == name }) else {
            let names = Self.all.map(\.name).joined(separator: ", ")
            throw ModelFileError(
                .unsupported, file: file.path,
                "metadata general.architecture: \"\(name)\" is not supported; known: \(names)")
        }
        self = known
    }

    init(
        name: String,
        configuration: @escaping @Sendable (GGUFFile) throws(ModelFileError) -> ModelConfiguration
    ) {
        self.name = name
        self.configuration = configuration
    }
}
