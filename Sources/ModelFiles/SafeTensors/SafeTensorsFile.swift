import Tensors

/// The tensors of one mapped safetensors file.
struct SafeTensorsFile {
    let entries: [TensorEntry]
    /// Tensors of element types that are no weights of ours, such as U8.
    let others: [OpaqueTensor]

    /// Maps the file at `path`.
    ///
    /// - Throws: `ModelFileError`: one line with file, field and limit.
    /// - Complexity: O(header); no tensor byte is touched.
    init(path: String) throws(ModelFileError) {
        let owner = MappingOwner(try MappedFile(path: path))
        try self.init(bytes: WeightBytes(mapping: owner), file: path)
    }

    /// Reads a file that is in memory already.
    ///
    /// - Parameter file: the name that errors give it.
    /// - Throws: as for a path.
    init(bytes: WeightBytes, file: String) throws(ModelFileError) {
        let header = try bytes.withUnsafeBytes { (bytes) throws(ModelFileError) in
            try SafeTensorsHeader(file: file, bytes: bytes)
        }
        var entries: [TensorEntry] = []
        var others: [OpaqueTensor] = []
        for tensor in header.tensors {
            let data = bytes.slice(tensor.bytes)
            if let format = Self.format(tensor.type) {
                entries.append(
                    TensorEntry(
                        name: tensor.name, format: format, dimensions: tensor.dimensions,
                        bytes: data))
            } else {
                others.append(
                    OpaqueTensor(
                        name: tensor.name, type: tensor.type, dimensions: tensor.dimensions,
                        bytes: data))
            }
        }
        self.entries = entries
        self.others = others
    }

    private static func format(_ type: String) -> BlockFormat? {
        switch type {
        case "F32": .f32
        case "F16": .f16
        case "BF16": .bf16
        default: nil
        }
    }
}
