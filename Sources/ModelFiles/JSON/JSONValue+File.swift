package import OrderedJSON

/// What a JSON file beside a model may ask for.
package enum JSONLimits {
    /// config.json, its siblings and a shard index; the largest known, DeepSeek-V3's, has 9 MB.
    package static let fileBytes = 256 << 20
    /// Published files nest 6 deep; the reader is recursive, so this bounds its stack.
    package static let depth = 64
    /// The largest known has 10^5; room for a safetensors header with the most tensors allowed.
    package static let valueCount = 1 << 23
    /// A repeated key is how a crafted file would say two things at once.
    static let file = JSONRules(
        byteCount: fileBytes, depth: depth, valueCount: valueCount, refusals: .repeatedKeys)
    /// The header of a safetensors file.
    static let header = JSONRules(
        byteCount: SafeTensorsLimits.headerBytes, depth: depth, valueCount: valueCount,
        refusals: .repeatedKeys)
}

extension JSONValue {
    /// Reads a JSON file.
    ///
    /// - Throws: `cannotOpen`, `overLimit` or `malformed`, naming the file and the byte.
    package init(path: String) throws(ModelFileError) {
        try self.init(try FileBytes.read(path), rules: JSONLimits.file, file: path)
    }

    /// Reads a JSON file, or returns nil where there is no such file.
    package static func ifPresent(path: String) throws(ModelFileError) -> JSONValue? {
        FileBytes.exists(path) ? try JSONValue(path: path) : nil
    }

    /// Reads bytes of `file`.
    ///
    /// - Throws: `overLimit` or `malformed`, naming the file and the byte.
    init(_ json: [UInt8], rules: JSONRules, file: String) throws(ModelFileError) {
        do throws(JSONError) {
            try self.init(json: json, rules: rules)
        } catch {
            let code: ModelFileError.Code = error.code == .overLimit ? .overLimit : .malformed
            throw ModelFileError(code, file: file, error.description)
        }
    }

    /// A short text for error messages.
    package var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value.excerpt
        case .array(let values): "[\(values.count) values]"
        case .object(let members): "{\(members.count) members}"
        }
    }
}

/// Small files, read whole.
enum FileBytes {
    /// Whether something is at `path`.
    static func exists(_ path: String) -> Bool { MappedFile.kind(of: path) != nil }

    /// A copy of the file's bytes.
    ///
    /// - Throws: `overLimit` above `JSONLimits.fileBytes`.
    static func read(_ path: String) throws(ModelFileError) -> [UInt8] {
        let file = try MappedFile(path: path)
        guard file.bytes.count <= JSONLimits.fileBytes else {
            throw ModelFileError(
                .overLimit, file: path,
                "has \(file.bytes.count) bytes, the limit is \(JSONLimits.fileBytes)")
        }
        return Array(file.bytes)
    }
}
