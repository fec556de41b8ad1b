import Tensors

/// The parsed front of one GGUF file: metadata and the directory of tensors.
struct GGUFHeader {
    /// One line of the tensor directory.
    struct Tensor {
        let name: String
        let format: BlockFormat
        /// Outermost first (the file lists them innermost first).
        let dimensions: [Int]
        /// Bytes from the start of the data section.
        let offset: Int
        let byteCount: Int
    }

    let version: UInt32
    let metadata: [String: GGUFValue]
    /// Metadata keys in file order.
    let keys: [String]
    let tensors: [Tensor]
    /// Bytes from the start of the file to the data section.
    let dataOffset: Int

    /// - Throws: `malformed`, `overLimit` or `unsupported`, each naming field and limit.
    /// - Complexity: O(header bytes); tensor data is not touched.
    init(file: String, bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        var cursor = GGUFCursor(file: file, bytes: bytes)
        version = try Self.readVersion(&cursor)
        let tensorCount = try cursor.count("tensor count", limit: GGUFLimits.tensorCount)
        let metadataCount = try cursor.count("metadata count", limit: GGUFLimits.metadataCount)
        (metadata, keys) = try Self.readMetadata(&cursor, count: metadataCount)
        var tensors: [Tensor] = []
        for index in 0..<tensorCount {
            cursor.field = "tensor \(index)"
            tensors.append(try Self.readTensor(&cursor))
        }
        self.tensors = tensors
        let alignment = try Self.alignment(metadata, file: file)
        dataOffset = (cursor.offset + alignment - 1) / alignment * alignment
        try Self.checkData(
            tensors, alignment: alignment, available: bytes.count - dataOffset, file: file)
    }

    private static func readVersion(_ cursor: inout GGUFCursor) throws(ModelFileError) -> UInt32 {
        let magic = try cursor.number(UInt32.self)
        guard magic == 0x4655_4747 else {
            throw ModelFileError(
                .malformed, file: cursor.file,
                "is not a GGUF file: its first four bytes are not \"GGUF\"")
        }
        let version = try cursor.number(UInt32.self)
        guard version == 2 || version == 3 else {
            let hint = version.byteSwapped <= 3 ? " (a big-endian file)" : ""
            throw ModelFileError(
                .unsupported, file: cursor.file,
                "GGUF version \(version)\(hint) is not supported; versions 2 and 3 are, "
                    + "little-endian")
        }
        return version
    }

    private static func readMetadata(
        _ cursor: inout GGUFCursor, count: Int
    ) throws(ModelFileError) -> ([String: GGUFValue], [String]) {
        var metadata: [String: GGUFValue] = [:]
        var keys: [String] = []
        for index in 0..<count {
            cursor.field = "metadata entry \(index)"
            let key = try cursor.string(limit: GGUFLimits.nameBytes)
            cursor.field = "metadata \(key)"
            let type = try cursor.number(UInt32.self)
            let value = try GGUFValue(type: type, &cursor)
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw ModelFileError(.malformed, file: cursor.file, "\(cursor.field) appears twice")
            }
            keys.append(key)
        }
        return (metadata, keys)
    }

    private static func readTensor(_ cursor: inout GGUFCursor) throws(ModelFileError) -> Tensor {
        let name = try cursor.string(limit: GGUFLimits.nameBytes)
        cursor.field = "tensor \(name)"
        let dimensions = try readDimensions(&cursor)
        let type = try cursor.number(UInt32.self)
        guard let format = BlockFormat(ggmlType: type) else {
            let known = BlockFormat.allCases.map(\.name).joined(separator: ", ")
            throw ModelFileError(
                .unsupported, file: cursor.file,
                "\(cursor.field): tensor type \(type) is not supported; known types: \(known)")
        }
        guard let columns = dimensions.last, columns % format.elementsPerBlock == 0 else {
            throw ModelFileError(
                .malformed, file: cursor.file,
                "\(cursor.field): rows of \(dimensions.last ?? 0) elements are not whole "
                    + "\(format.name) blocks of \(format.elementsPerBlock)")
        }
        let offset = try cursor.count("data offset", limit: Int.max / 2)
        return Tensor(
            name: name, format: format, dimensions: dimensions, offset: offset,
            byteCount: format.byteCount(elements: dimensions.reduce(1, *)))
    }

    private static func readDimensions(
        _ cursor: inout GGUFCursor
    ) throws(ModelFileError) -> [Int] {
        let count = try cursor.number(UInt32.self)
        guard count >= 1, count <= GGUFLimits.dimensionCount else {
            throw ModelFileError(
                .overLimit, file: cursor.file,
                "\(cursor.field): has \(count) dimensions, allowed are 1 to "
                    + "\(GGUFLimits.dimensionCount)")
        }
        var dimensions: [Int] = []
        var elements = 1
        for _ in 0..<count {
            let size = try cursor.count("dimension", limit: GGUFLimits.elementCount)
            let (product, overflow) = elements.multipliedReportingOverflow(by: size)
            guard size > 0, !overflow, product <= GGUFLimits.elementCount else {
                throw ModelFileError(
                    .overLimit, file: cursor.file,
                    "\(cursor.field): dimension \(size) makes the tensor empty or larger than "
                        + "\(GGUFLimits.elementCount) elements")
            }
            elements = product
            dimensions.append(size)
        }
        return dimensions.reversed()
    }

    private static func alignment(
        _ metadata: [String: GGUFValue], file: String
    ) throws(ModelFileError) -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard case .integer(let alignment) = value, alignment > 0,
            alignment <= GGUFLimits.alignment, alignment & (alignment - 1) == 0
        else {
            throw ModelFileError(
                .overLimit, file: file,
                "metadata general.alignment: \(value.summary) is not a power of two up to "
                    + "\(GGUFLimits.alignment)")
        }
        return alignment
    }

    /// Every tensor aligned, inside the file, and none over another.
    private static func checkData(
        _ tensors: [Tensor], alignment: Int, available: Int, file: String
    ) throws(ModelFileError) {
        var end = 0
        var previous = ""
        for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
            guard tensor.offset % alignment == 0 else {
                throw ModelFileError(
                    .malformed, file: file,
                    "tensor \(tensor.name): offset \(tensor.offset) is not a multiple of the "
                        + "alignment \(alignment)")
            }
            guard tensor.offset >= end else {
                throw ModelFileError(
                    .malformed, file: file,
                    "tensor \(tensor.name) overlaps tensor \(previous) at data offset "
                        + "\(tensor.offset)")
            }
            guard tensor.byteCount <= available, tensor.offset <= available - tensor.byteCount
            else {
                throw ModelFileError(
                    .malformed, file: file,
                    "tensor \(tensor.name): needs \(tensor.byteCount) bytes at data offset "
                        + "\(tensor.offset), the data section has \(max(0, available)) bytes "
                        + "(is the file truncated?)")
            }
            end = tensor.offset + tensor.byteCount
            previous = tensor.name
        }
    }
}
