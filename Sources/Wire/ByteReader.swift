/// Reads little-endian fields from a payload; every read is checked against its end.
struct ByteReader {
    private let bytes: [UInt8]
    private let message: String
    private var offset = 0

    /// Reads `bytes`, the payload of the message that errors call `message`.
    init(_ bytes: [UInt8], of message: String) {
        self.bytes = bytes
        self.message = message
    }

    var remaining: Int { bytes.count - offset }

    mutating func read<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type, _ field: String
    ) throws(WireError) -> Value {
        let width = Value.bitWidth / 8
        try require(width, field)
        var value: Value = 0
        for index in 0..<width {
            value |= Value(bytes[offset + index]) << (8 * index)
        }
        offset += width
        return value
    }

    mutating func readFloat(_ field: String) throws(WireError) -> Float {
        Float(bitPattern: try read(UInt32.self, field))
    }

    /// A u32 that counts or numbers something, within `range`.
    mutating func readCount(
        _ field: String, in range: ClosedRange<Int>
    ) throws(WireError) -> Int {
        let value = Int(try read(UInt32.self, field))
        guard range.contains(value) else {
            throw WireError(
                .limitExceeded,
                "\(message): \(field) is \(value), outside \(range)")
        }
        return value
    }

    mutating func readBytes(_ count: Int, _ field: String) throws(WireError) -> [UInt8] {
        try require(count, field)
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    /// Gives `body` the next `count` bytes in place.
    ///
    /// - Precondition: `count` bytes remain.
    mutating func read<Value, Failure>(
        count: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        precondition(count <= remaining, "the caller checks the size before it reads in place")
        let range = offset..<(offset + count)
        offset += count
        return try bytes.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[range])))
        }
    }

    /// All bytes that are left.
    mutating func readRest() -> [UInt8] {
        defer { offset = bytes.count }
        return Array(bytes[offset...])
    }

    /// The payload is exactly as long as its counts say.
    func requireRemaining(_ count: Int) throws(WireError) {
        guard remaining == count else {
            throw WireError(
                .truncated,
                "\(message): its counts ask for \(count) more bytes, \(remaining) are there")
        }
    }

    private func require(_ count: Int, _ field: String) throws(WireError) {
        guard count <= remaining else {
            throw WireError(.truncated, "\(message): it ends inside \(field)")
        }
    }
}
