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
        let header = try SafeTensorsHeader(file: path, bytes: owner.file.bytes)
        let bytes = WeightBytes(mapping: owner)
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
