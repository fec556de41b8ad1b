/// The format's value types by number.
private enum ValueType: UInt32 {
    case uint8 = 0
    case int8, uint16, int16, uint32, int32, float32, boolean, string, array, uint64, int64, float64

    /// The fewest bytes one value takes in the file, so that a count can be checked before use.
    var minimumBytes: Int {
        switch self {
        case .uint8, .int8, .boolean: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .string, .uint64, .int64, .float64: 8
        case .array: 12
        }
    }
}

extension GGUFValue {
    /// Reads the value of type number `type` at the cursor.
    ///
    /// - Throws: `unsupported` for an unknown type or an array of arrays, `overLimit` for counts.
    init(type: UInt32, _ cursor: inout GGUFCursor) throws(ModelFileError) {
        switch try Self.known(type, cursor) {
        case .array: self = try Self.array(&cursor)
        case .string: self = .string(try cursor.string(limit: GGUFLimits.stringBytes))
        case .float32, .float64:
            self = .float(try Self.float(type, &cursor))
        case .boolean: self = .boolean(try Self.boolean(&cursor))
        default: self = .integer(try Self.integer(type, &cursor))
        }
    }

    private static func known(
        _ type: UInt32, _ cursor: GGUFCursor
    ) throws(ModelFileError) -> ValueType {
        guard let known = ValueType(rawValue: type) else {
            throw ModelFileError(
                .unsupported, file: cursor.file, "\(cursor.field): value type \(type) is unknown")
        }
        return known
    }

    private static func array(_ cursor: inout GGUFCursor) throws(ModelFileError) -> GGUFValue {
        let number = try cursor.number(UInt32.self)
        let type = try known(number, cursor)
        let count = try cursor.count("array length", limit: GGUFLimits.arrayCount)
        // Before anything is reserved: an absurd count in a short file allocates nothing.
        try cursor.need(count * type.minimumBytes)
        switch type {
        case .array:
            throw ModelFileError(
                .unsupported, file: cursor.file, "\(cursor.field): an array of arrays")
        case .string:
            var values: [String] = []
            values.reserveCapacity(count)
            for _ in 0..<count {
                values.append(try cursor.string(limit: GGUFLimits.stringBytes))
            }
            return .strings(values)
        case .float32, .float64:
            var values: [Double] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try float(number, &cursor)) }
            return .floats(values)
        case .boolean:
            var values: [Bool] = []
            for _ in 0..<count { values.append(try boolean(&cursor)) }
            return .booleans(values)
        default:
            var values: [Int] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try integer(number, &cursor)) }
            return .integers(values)
        }
    }

    private static func float(
        _ type: UInt32, _ cursor: inout GGUFCursor
    ) throws(ModelFileError) -> Double {
        type == ValueType.float32.rawValue
            ? Double(Float(bitPattern: try cursor.number()))
            : Double(bitPattern: try cursor.number())
    }

    private static func boolean(_ cursor: inout GGUFCursor) throws(ModelFileError) -> Bool {
        let byte = try cursor.number(UInt8.self)
        guard byte <= 1 else {
            throw ModelFileError(
                .malformed, file: cursor.file, "\(cursor.field): \(byte) is not a boolean")
        }
        return byte == 1
    }

    private static func integer(
        _ type: UInt32, _ cursor: inout GGUFCursor
    ) throws(ModelFileError) -> Int {
        switch ValueType(rawValue: type) {
        case .uint8: return Int(try cursor.number(UInt8.self))
        case .int8: return Int(try cursor.number(Int8.self))
        case .uint16: return Int(try cursor.number(UInt16.self))
        case .int16: return Int(try cursor.number(Int16.self))
        case .uint32: return Int(try cursor.number(UInt32.self))
        case .int32: return Int(try cursor.number(Int32.self))
        case .int64: return Int(try cursor.number(Int64.self))
        default: return try cursor.count("64-bit value", limit: Int.max)
        }
    }
}
