/// One metadata entry as GGUF writes it: the value's type number and its bytes, whatever the type.
///
/// `GGUFValue` forgets how wide a number was; readers such as llama.cpp insist on it, so that what
/// is written again is kept as bytes.
package struct GGUFMetadataEntry: Sendable, Equatable {
    package let key: String
    /// The type number in four bytes and the value, little-endian.
    package let encoded: [UInt8]

    /// A 32-bit whole number, the type of sizes and ids. It must fit, as checked sizes do.
    package init(_ key: String, _ number: Int) {
        guard let number = UInt32(exactly: number) else {
            preconditionFailure("Sizes and ids in metadata have 32 bits.")
        }
        self.init(key, type: 4, GGUFBytes.little(number))
    }

    /// A number with fraction, stored as fp32.
    package init(_ key: String, _ number: Double) {
        self.init(key, type: 6, GGUFBytes.little(Float(number).bitPattern))
    }

    /// A truth value.
    package init(_ key: String, _ flag: Bool) {
        self.init(key, type: 7, [flag ? 1 : 0])
    }

    /// A text.
    package init(_ key: String, _ text: String) {
        self.init(key, type: 8, GGUFBytes.text(Array(text.utf8)))
    }

    /// A list of texts as UTF-8 bytes.
    package init(_ key: String, texts: [[UInt8]]) {
        self.init(key, elements: 8, count: texts.count, texts.flatMap { GGUFBytes.text($0) })
    }

    /// A list of signed 32-bit numbers, the type of token types; each must fit.
    package init(_ key: String, integers: [Int]) {
        let bytes = integers.flatMap { GGUFBytes.little(Int32($0)) }
        self.init(key, elements: 5, count: integers.count, bytes)
    }

    /// A list of fp32 numbers.
    package init(_ key: String, numbers: [Float]) {
        let bytes = numbers.flatMap { GGUFBytes.little($0.bitPattern) }
        self.init(key, elements: 6, count: numbers.count, bytes)
    }

    private init(_ key: String, elements type: UInt32, count: Int, _ bytes: [UInt8]) {
        self.init(
            key, type: 9, GGUFBytes.little(type) + GGUFBytes.little(UInt64(count)) + bytes)
    }

    private init(_ key: String, type: UInt32, _ value: [UInt8]) {
        self.init(key: key, encoded: GGUFBytes.little(type) + value)
    }

    private init(key: String, encoded: [UInt8]) {
        precondition(key.utf8.count <= GGUFLimits.nameBytes, "A metadata key is too long.")
        self.key = key
        self.encoded = encoded
    }

    /// The entries of the GGUF file at `path`, in file order; of a split model those of the first
    /// part.
    ///
    /// - Throws: `ModelFileError`, as for opening the file.
    /// - Complexity: O(header bytes).
    package static func read(path: String) throws(ModelFileError) -> [GGUFMetadataEntry] {
        let file = try MappedFile(path: path)
        var cursor = GGUFCursor(file: path, bytes: file.bytes)
        _ = try cursor.number(UInt64.self)
        _ = try cursor.count("tensor count", limit: GGUFLimits.tensorCount)
        let count = try cursor.count("metadata count", limit: GGUFLimits.metadataCount)
        var entries: [GGUFMetadataEntry] = []
        for index in 0..<count {
            cursor.field = "metadata entry \(index)"
            let key = try cursor.string(limit: GGUFLimits.nameBytes)
            cursor.field = "metadata \(key)"
            let start = cursor.offset
            let type = try cursor.number(UInt32.self)
            // Read for its checks and its length.
            _ = try GGUFValue(type: type, &cursor)
            entries.append(
                GGUFMetadataEntry(key: key, encoded: Array(file.bytes[start..<cursor.offset])))
        }
        return entries
    }
}

/// Numbers and texts as GGUF writes them.
enum GGUFBytes {
    static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        var rest = number
        return (0..<number.bitWidth / 8).map { _ in
            defer { rest >>= 8 }
            return UInt8(truncatingIfNeeded: rest)
        }
    }

    static func text(_ bytes: [UInt8]) -> [UInt8] { little(UInt64(bytes.count)) + bytes }
}
