/// Reads a GGUF header from mapped bytes, front to back; every read is checked against the end.
struct GGUFCursor {
    let file: String
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset = 0
    /// What is being read, for error messages: "metadata entry 3 (llama.block_count)".
    var field = "header"

    init(file: String, bytes: UnsafeRawBufferPointer) {
        self.file = file
        self.bytes = bytes
    }

    var remaining: Int { bytes.count - offset }

    /// A little-endian number.
    mutating func number<Number: FixedWidthInteger>(
        _: Number.Type = Number.self
    ) throws(ModelFileError) -> Number {
        try need(MemoryLayout<Number>.size)
        defer { offset += MemoryLayout<Number>.size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// A 64-bit count or length that must not exceed `limit`.
    mutating func count(_ what: String, limit: Int) throws(ModelFileError) -> Int {
        let value = try number(UInt64.self)
        guard value <= UInt64(limit) else {
            throw ModelFileError(
                .overLimit, file: file, "\(field): \(what) \(value) is over the limit of \(limit)")
        }
        return Int(value)
    }

    /// A length-prefixed string; bytes that are not UTF-8 become U+FFFD.
    mutating func string(limit: Int) throws(ModelFileError) -> String {
        let length = try count("string length", limit: limit)
        try need(length)
        defer { offset += length }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }

    /// Fails unless `count` more bytes are there.
    func need(_ count: Int) throws(ModelFileError) {
        guard count <= remaining else {
            throw ModelFileError(
                .malformed, file: file,
                "\(field): needs \(count) bytes at offset \(offset), the file ends after "
                    + "\(bytes.count) bytes (is it truncated?)")
        }
    }
}
