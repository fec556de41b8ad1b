extension JSONValue {
    /// Reads a JSON file.
    ///
    /// - Throws: `cannotOpen`, `overLimit` or `malformed`, naming the file and the byte.
    package init(path: String) throws(ModelFileError) {
        self = try JSONParser.parse(try FileBytes.read(path)[...], file: path)
    }

    /// Reads a JSON file, or returns nil where there is no such file.
    package static func ifPresent(path: String) throws(ModelFileError) -> JSONValue? {
        FileBytes.exists(path) ? try JSONValue(path: path) : nil
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
