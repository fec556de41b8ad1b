import OrderedJSON

extension SchemaCompiler {
    /// A range of whole numbers; empty where `lowest` is above `highest`.
    private struct WholeRange {
        var lowest = Int.min
        var highest = Int.max
    }

    private static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    /// Most digits behind the point, and before it where there is no bound. The shortest text of
    /// any fp64 number has fewer.
    private static let fractionDigits = 24
    private static let wholeDigits = 18

    /// A whole number without fraction and exponent that fits 64 bits.
    mutating func emitInteger(
        _ node: SchemaNode, from start: Int, to end: Int
    ) throws(SchemaError) {
        var range = WholeRange()
        for bound in node.lower {
            guard let least = bound.leastWhole else { return }
            range.lowest = max(range.lowest, least)
        }
        for bound in node.upper {
            guard let most = bound.mostWhole else { return }
            range.highest = min(range.highest, most)
        }
        guard range.lowest <= range.highest else { return }
        if range.lowest < 0 {
            let minus = try builder.literal("-".utf8, from: start)
            let least = range.highest < 0 ? range.highest.magnitude : 1
            try emitWhole(least...range.lowest.magnitude, from: minus, to: end)
        }
        if range.highest >= 0 {
            let least = UInt(max(0, range.lowest))
            try emitWhole(least...UInt(range.highest), from: start, to: end)
        }
    }

    /// A whole number without sign.
    private mutating func emitWhole(
        _ range: ClosedRange<UInt>, from start: Int, to end: Int
    ) throws(SchemaError) {
        var least = range.lowerBound
        while true {
            // The numbers of as many digits as the least one has.
            let count = String(least).utf8.count
            let top = UInt(String(repeating: "9", count: count)) ?? .max
            let most = min(top, range.upperBound)
            try emitRange(
                Array(String(least).utf8)[...], Array(String(most).utf8)[...],
                tail: UInt8(ascii: "0")...UInt8(ascii: "9"), from: start, to: end)
            guard most < range.upperBound else { return }
            least = most + 1
        }
    }

    /// A number; without bounds with an exponent where wanted.
    mutating func emitNumber(
        _ node: SchemaNode, from start: Int, to end: Int
    ) throws(SchemaError) {
        guard node.lower.isEmpty, node.upper.isEmpty else {
            return try emitBounded(node, from: start, to: end)
        }
        let unsigned = try builder.makeState()
        builder.jump(start, to: unsigned)
        builder.jump(try builder.literal("-".utf8, from: start), to: unsigned)
        let whole = try builder.makeState()
        builder.bytes(ByteSet("0".utf8), from: unsigned, to: whole)
        let first = try builder.bytes(ByteSet("123456789".utf8), from: unsigned)
        builder.jump(try digits(0, Self.wholeDigits - 1, from: first), to: whole)
        let exponent = try builder.makeState()
        builder.jump(whole, to: exponent)
        builder.jump(
            try digits(1, Self.fractionDigits, from: builder.literal(".".utf8, from: whole)),
            to: exponent)
        builder.jump(exponent, to: end)
        try emitExponent(from: exponent, to: end)
    }

    /// An exponent with which the number is still finite: the digits before it are below 1e18.
    private mutating func emitExponent(from start: Int, to end: Int) throws(SchemaError) {
        let sign = try builder.bytes(ByteSet("eE".utf8), from: start)
        let plus = try builder.makeState()
        builder.jump(sign, to: plus)
        builder.bytes(ByteSet("+".utf8), from: sign, to: plus)
        try emitWhole(0...290, from: plus, to: end)
        let zero = try builder.literal("0".utf8, from: plus)
        builder.jump(try digits(1, 2, from: zero), to: end)
        let minus = try builder.literal("-".utf8, from: sign)
        builder.jump(try digits(1, 3, from: minus), to: end)
    }

    private mutating func digits(
        _ least: Int, _ most: Int, from state: Int
    ) throws(SchemaError) -> Int {
        try builder.repeated(from: state, least: least, most: most) {
            (builder, state) throws(SchemaError) in
            try builder.bytes(Self.digits, from: state)
        }
    }

    /// A number without exponent in bounds, which have to be whole.
    private mutating func emitBounded(
        _ node: SchemaNode, from start: Int, to end: Int
    ) throws(SchemaError) {
        let far = Limit(value: 999_999_999_999_999_999, isExclusive: false)
        var (least, most) = (Limit(value: -far.value, isExclusive: false), far)
        for bound in node.lower {
            let limit = try bound.limit()
            if (limit.value, limit.isExclusive ? 1 : 0) > (least.value, least.isExclusive ? 1 : 0) {
                least = limit
            }
        }
        for bound in node.upper {
            let limit = try bound.limit()
            if (-limit.value, limit.isExclusive ? 1 : 0) > (-most.value, most.isExclusive ? 1 : 0) {
                most = limit
            }
        }
        if least.value < 0 {
            let minus = try builder.literal("-".utf8, from: start)
            // Zero is written without a sign.
            let nearest = most.value < 0 ? most : Limit(value: 0, isExclusive: true)
            try emitMagnitudes(nearest, least, from: minus, to: end)
        }
        if most.value >= 0 {
            let nearest = least.value < 0 ? Limit(value: 0, isExclusive: false) : least
            try emitMagnitudes(nearest, most, from: start, to: end)
        }
    }

    /// Numbers without sign between the magnitudes of two limits.
    private mutating func emitMagnitudes(
        _ near: Limit, _ far: Limit, from start: Int, to end: Int
    ) throws(SchemaError) {
        let (low, high) = (near.value.magnitude, far.value.magnitude)
        guard low <= high else { return }
        let point = try builder.makeState()
        if low < high {
            if low + 1 < high { try emitWhole(low + 1...high - 1, from: start, to: point) }
            if !near.isExclusive { try emitWhole(low...low, from: start, to: point) }
            // Behind the lower limit itself there has to be something.
            let behind = try builder.makeState()
            try emitWhole(low...low, from: start, to: behind)
            builder.jump(try somethingBehindPoint(from: behind), to: end)
            builder.jump(point, to: end)
            let dot = try builder.literal(".".utf8, from: point)
            builder.jump(try digits(1, Self.fractionDigits, from: dot), to: end)
        }
        guard !far.isExclusive, low < high || !near.isExclusive else { return }
        let exact = try builder.makeState()
        try emitWhole(high...high, from: start, to: exact)
        builder.jump(exact, to: end)
        let dot = try builder.literal(".".utf8, from: exact)
        let zeros = try builder.repeated(from: dot, least: 1, most: Self.fractionDigits) {
            (builder, state) throws(SchemaError) in try builder.literal("0".utf8, from: state)
        }
        builder.jump(zeros, to: end)
    }

    /// A fraction that is not zero.
    private mutating func somethingBehindPoint(from state: Int) throws(SchemaError) -> Int {
        let half = Self.fractionDigits / 2
        let dot = try builder.literal(".".utf8, from: state)
        let before = try digits(0, half - 1, from: dot)
        let digit = try builder.bytes(ByteSet("123456789".utf8), from: before)
        return try digits(0, half, from: digit)
    }
}

/// A whole bound of numbers.
private struct Limit {
    let value: Int
    let isExclusive: Bool
}

extension SchemaNode.Bound {
    /// The least whole number in the range; nil if none that fits 64 bits is.
    fileprivate var leastWhole: Int? {
        switch value {
        case .integer(let number): isExclusive ? Self.sum(number, 1) : number
        case .number(let number):
            number.rounded(.up) == number
                ? Int(exactly: number).flatMap { isExclusive ? Self.sum($0, 1) : $0 }
                : number < -0x1p63 ? Int.min : Int(exactly: number.rounded(.up))
        default: nil
        }
    }

    /// The greatest whole number in the range; nil if none that fits 64 bits is.
    fileprivate var mostWhole: Int? {
        switch value {
        case .integer(let number): isExclusive ? Self.sum(number, -1) : number
        case .number(let number):
            number.rounded(.down) == number
                ? Int(exactly: number).flatMap { isExclusive ? Self.sum($0, -1) : $0 }
                : Int(exactly: number.rounded(.down))
        default: nil
        }
    }

    private static func sum(_ left: Int, _ right: Int) -> Int? {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : sum
    }

    /// The bound of numbers that need not be whole.
    fileprivate func limit() throws(SchemaError) -> Limit {
        let number: Int?
        switch value {
        case .integer(let whole): number = whole
        case .number(let decimal): number = Int(exactly: decimal)
        default: number = nil
        }
        guard let number, number.magnitude <= 999_999_999_999_999_999 else {
            throw .unsupported(path, "a bound of numbers that is not whole or beyond 1e18")
        }
        return Limit(value: number, isExclusive: isExclusive)
    }
}
