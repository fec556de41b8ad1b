import Tensors

/// How a model file's bytes come into memory.
package enum WeightLoading: String, Sendable, CaseIterable {
    /// In place: pages come in from the file as they are touched, and processes share them.
    case mapped
    /// Copied once into huge pages of this process, after which the file is let go. Takes as much
    /// memory as the file is large, for the whole run.
    case hugePages = "huge-pages"

    /// The bytes of the file at `path`, kept as long as a view of them exists.
    ///
    /// - Throws: `cannotOpen` or `malformed`, as `MappedFile`; `cannotOpen` if there is no memory
    ///   for a copy.
    /// - Complexity: O(1) mapped, O(bytes) copied.
    func bytes(ofFile path: String) throws(ModelFileError) -> WeightBytes {
        let file = try MappedFile(path: path)
        switch self {
        case .mapped: return WeightBytes(mapping: MappingOwner(file))
        case .hugePages:
            return WeightBytes(copy: try HugePageCopy(file.bytes, file: path))
        }
    }
}
