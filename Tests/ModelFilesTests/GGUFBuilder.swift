/// Writes GGUF bytes by hand, right or wrong.
struct GGUFBuilder {
    struct Tensor {
        var name = "t"
        /// Innermost first, as the file has them.
        var dimensions: [UInt64] = [4, 2]
        var type: UInt32 = 0
        var offset: UInt64 = 0
    }

    var magic: UInt32 = 0x4655_4747
    var version: UInt32 = 3
    /// Overrides the true counts.
    var tensorCount: UInt64?
    var metadataCount: UInt64?
    /// Keys and values, each value with its type in front.
    var metadata: [(String, [UInt8])] = []
    var tensors: [Tensor] = []
    var dataBytes = 256

    var bytes: [UInt8] {
        var bytes = Self.little(magic) + Self.little(version)
        bytes += Self.little(tensorCount ?? UInt64(tensors.count))
        bytes += Self.little(metadataCount ?? UInt64(metadata.count))
        for (key, value) in metadata { bytes += Self.string(key) + value }
        for tensor in tensors {
            bytes += Self.string(tensor.name) + Self.little(UInt32(tensor.dimensions.count))
            for size in tensor.dimensions { bytes += Self.little(size) }
            bytes += Self.little(tensor.type) + Self.little(tensor.offset)
        }
        if dataBytes > 0 { bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32) }
        return bytes + [UInt8](repeating: 0, count: dataBytes)
    }

    static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + text.utf8 }

    static func text(_ text: String) -> [UInt8] { little(UInt32(8)) + string(text) }

    static func number(_ number: UInt32) -> [UInt8] { little(UInt32(4)) + little(number) }
}
