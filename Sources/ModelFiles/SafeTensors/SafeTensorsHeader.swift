import OrderedJSON
import Tensors

/// The parsed front of one safetensors file: the directory of its tensors.
///
/// Layout: the header's length in 8 little-endian bytes, the header as JSON, the tensors' bytes.
struct SafeTensorsHeader {
    /// One entry of the directory.
    struct Tensor {
        let name: String
        /// The format's name of the element type, such as "BF16".
        let type: String
        /// Outermost first.
        let dimensions: [Int]
        /// Where the bytes lie in the file.
        let bytes: Range<Int>
    }

    /// In file order.
    let tensors: [Tensor]

    /// - Throws: `malformed`, `overLimit` or `unsupported`, each naming field and limit.
    /// - Complexity: O(header bytes); tensor data is not touched.
    init(file: String, bytes: UnsafeRawBufferPointer) throws(ModelFileError) {
        let header = try Self.headerRange(file: file, bytes: bytes)
        guard
            case .object(let members) = try JSONValue(
                Array(bytes[header]), rules: JSONLimits.header, file: file)
        else { throw ModelFileError(.malformed, file: file, "the header is not a JSON object") }
        guard members.count <= SafeTensorsLimits.tensorCount else {
            throw ModelFileError(
                .overLimit, file: file,
                "the header names \(members.count) tensors, the limit is "
                    + "\(SafeTensorsLimits.tensorCount)")
        }
        var tensors: [Tensor] = []
        for member in members where member.key != "__metadata__" {
            let entry = Entry(file: file, name: member.key.text, value: member.value)
            tensors.append(try entry.tensor(dataOffset: header.upperBound))
        }
        self.tensors = tensors.sorted {
            ($0.bytes.lowerBound, $0.name) < ($1.bytes.lowerBound, $1.name)
        }
        try checkPlaces(file: file, fileBytes: bytes.count)
    }

    private static func headerRange(
        file: String, bytes: UnsafeRawBufferPointer
    ) throws(ModelFileError) -> Range<Int> {
        guard bytes.count >= 8 else {
            throw ModelFileError(
                .malformed, file: file, "is not a safetensors file: it has \(bytes.count) bytes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(SafeTensorsLimits.headerBytes) else {
            throw ModelFileError(
                .overLimit, file: file,
                "header length \(length) is over the limit of \(SafeTensorsLimits.headerBytes) "
                    + "(is it a safetensors file?)")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw ModelFileError(
                .malformed, file: file,
                "the header needs \(length) bytes, the file ends after \(bytes.count) bytes "
                    + "(is it truncated?)")
        }
        return 8..<8 + Int(length)
    }

    /// Every tensor inside the file, and none over another.
    private func checkPlaces(file: String, fileBytes: Int) throws(ModelFileError) {
        var end = 0
        var previous = ""
        for tensor in tensors {
            guard tensor.bytes.upperBound <= fileBytes else {
                throw ModelFileError(
                    .malformed, file: file,
                    "tensor \(tensor.name): ends at byte \(tensor.bytes.upperBound), the file has "
                        + "\(fileBytes) bytes (is it truncated?)")
            }
            guard tensor.bytes.isEmpty || tensor.bytes.lowerBound >= end else {
                throw ModelFileError(
                    .malformed, file: file, "tensor \(tensor.name) overlaps tensor \(previous)")
            }
            if !tensor.bytes.isEmpty { (end, previous) = (tensor.bytes.upperBound, tensor.name) }
        }
    }
}

/// One member of the header, not yet checked.
private struct Entry {
    let file: String
    let name: String
    let value: JSONValue

    func tensor(dataOffset: Int) throws(ModelFileError) -> SafeTensorsHeader.Tensor {
        guard name.utf8.count <= GGUFLimits.nameBytes else {
            throw ModelFileError(
                .overLimit, file: file,
                "a tensor's name has \(name.utf8.count) bytes, the limit is "
                    + "\(GGUFLimits.nameBytes)")
        }
        guard let type = value["dtype"]?.text else {
            throw malformed("dtype is missing or not a text")
        }
        let dimensions = try sizes("shape")
        let offsets = try sizes("data_offsets")
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw malformed("data_offsets are not a begin and an end")
        }
        let byteCount = try byteCount(type: type, dimensions: dimensions)
        if let byteCount, byteCount != offsets[1] - offsets[0] {
            throw malformed(
                "\(type) \(dimensions) needs \(byteCount) bytes, data_offsets give "
                    + "\(offsets[1] - offsets[0])")
        }
        return SafeTensorsHeader.Tensor(
            name: name, type: type, dimensions: dimensions,
            bytes: dataOffset + offsets[0]..<dataOffset + offsets[1])
    }

    private func sizes(_ key: String) throws(ModelFileError) -> [Int] {
        guard case .array(let values)? = value[key] else {
            throw malformed("\(key) is missing or not a list")
        }
        guard values.count <= SafeTensorsLimits.dimensionCount else {
            throw ModelFileError(
                .overLimit, file: file,
                "tensor \(name): \(key) has \(values.count) entries, the limit is "
                    + "\(SafeTensorsLimits.dimensionCount)")
        }
        var sizes: [Int] = []
        for value in values {
            guard case .integer(let size) = value, size >= 0, size <= Int.max / 4 else {
                throw malformed("\(key) holds \(value.summary), which is not a size")
            }
            sizes.append(size)
        }
        return sizes
    }

    /// Nil for an element type whose size is not known here; it is refused when it is used.
    private func byteCount(type: String, dimensions: [Int]) throws(ModelFileError) -> Int? {
        var elements = 1
        for size in dimensions {
            let (product, overflow) = elements.multipliedReportingOverflow(by: size)
            guard !overflow, product <= SafeTensorsLimits.elementCount else {
                throw ModelFileError(
                    .overLimit, file: file,
                    "tensor \(name): shape \(dimensions) is over the limit of "
                        + "\(SafeTensorsLimits.elementCount) elements")
            }
            elements = product
        }
        return Self.elementBytes[type].map { $0 * elements }
    }

    private static let elementBytes = [
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8, "I32": 4,
        "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
    ]

    private func malformed(_ message: String) -> ModelFileError {
        ModelFileError(.malformed, file: file, "tensor \(name): \(message)")
    }
}
