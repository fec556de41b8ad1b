package import Tensors

/// A GGUF model, in one file or in parts, memory-mapped: metadata read, tensors in place.
package struct GGUFFile: Sendable {
    /// The path that the user gave.
    package let path: String
    package let version: UInt32
    /// The first part's metadata.
    package let metadata: [String: GGUFValue]
    /// Metadata keys in file order.
    package let keys: [String]
    /// Bytes of the first part before its tensors.
    package let dataOffset: Int
    /// The tensors of all parts.
    package let archive: TensorArchive
    /// How many files the model is in.
    package let partCount: Int

    /// Opens `path` and, if it is the first of several parts, the others beside it.
    ///
    /// - Throws: `ModelFileError`: one line with file, field and limit.
    /// - Complexity: O(headers); no tensor byte is touched.
    package init(path: String) throws(ModelFileError) {
        try self.init(first: try Part(path: path))
    }

    /// Reads a file that is in memory already.
    ///
    /// - Parameter file: the name that errors give it; further parts are looked for beside it.
    /// - Throws: as for a path.
    package init(bytes: WeightBytes, file: String) throws(ModelFileError) {
        try self.init(first: try Part(bytes: bytes, path: file))
    }

    private init(first: Part) throws(ModelFileError) {
        let path = first.path
        var entries = first.entries
        let others = try Self.otherParts(of: path, metadata: first.header.metadata)
        for (index, other) in others.enumerated() {
            let part = try Part(path: other)
            try part.expectSplit(number: index + 1, count: others.count + 1)
            entries += part.entries
        }
        self.path = path
        version = first.header.version
        metadata = first.header.metadata
        keys = first.header.keys
        dataOffset = first.header.dataOffset
        partCount = others.count + 1
        archive = try TensorArchive(file: path, entries: entries)
        try checkTensorTotal()
    }

    /// One mapped file and its tensors.
    private struct Part {
        let path: String
        let header: GGUFHeader
        let entries: [TensorEntry]

        init(path: String) throws(ModelFileError) {
            let owner = MappingOwner(try MappedFile(path: path))
            try self.init(bytes: WeightBytes(mapping: owner), path: path)
        }

        init(bytes: WeightBytes, path: String) throws(ModelFileError) {
            let header = try bytes.withUnsafeBytes { (bytes) throws(ModelFileError) in
                try GGUFHeader(file: path, bytes: bytes)
            }
            self.path = path
            self.header = header
            entries = header.tensors.map { tensor in
                let start = header.dataOffset + tensor.offset
                return TensorEntry(
                    name: tensor.name, format: tensor.format, dimensions: tensor.dimensions,
                    bytes: bytes.slice(start..<start + tensor.byteCount))
            }
        }

        func expectSplit(number: Int, count: Int) throws(ModelFileError) {
            guard header.metadata["split.no"] == .integer(number),
                header.metadata["split.count"] == .integer(count)
            else {
                throw ModelFileError(
                    .malformed, file: path,
                    "metadata split.no and split.count do not say part \(number) of \(count)")
            }
        }
    }

    /// The paths of parts 2 to N of a split model; empty for a model in one file.
    private static func otherParts(
        of path: String, metadata: [String: GGUFValue]
    ) throws(ModelFileError) -> [String] {
        guard case .integer(let count)? = metadata["split.count"], count > 1 else { return [] }
        guard count <= GGUFLimits.splitCount else {
            throw ModelFileError(
                .overLimit, file: path,
                "metadata split.count: \(count) is over the limit of \(GGUFLimits.splitCount)")
        }
        let suffix = partSuffix(1, of: count)
        guard metadata["split.no"] == .integer(0), path.hasSuffix(suffix) else {
            throw ModelFileError(
                .unsupported, file: path,
                "is one of \(count) parts; give the first one, whose name ends in \(suffix)")
        }
        let stem = path.dropLast(suffix.count)
        return (2...count).map { stem + partSuffix($0, of: count) }
    }

    private static func partSuffix(_ number: Int, of count: Int) -> String {
        func digits(_ value: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "-\(digits(number))-of-\(digits(count)).gguf"
    }

    private func checkTensorTotal() throws(ModelFileError) {
        guard case .integer(let total)? = metadata["split.tensors.count"] else { return }
        guard total == archive.entries.count else {
            throw ModelFileError(
                .malformed, file: path,
                "metadata split.tensors.count says \(total), the parts hold "
                    + "\(archive.entries.count)")
        }
    }
}
