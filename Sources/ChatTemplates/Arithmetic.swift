import Foundation

/// Python's arithmetic, with integers of 64 bits.
enum Arithmetic {
    static func apply(
        _ symbol: ArithmeticOperator, _ left: Value, _ right: Value, _ interpreter: Interpreter
    ) throws -> Value {
        if case .undefined(let undefined) = left { throw undefined.failure }
        if case .undefined(let undefined) = right, symbol != .modulo || left.text == nil {
            throw undefined.failure
        }
        if let left = left.integer, let right = right.integer {
            return try integers(symbol, left, right)
        }
        if let left = left.double, let right = right.double {
            return try floats(symbol, left, right)
        }
        return try sequences(symbol, left, right, interpreter)
    }

    static func negative(_ value: Value) throws -> Value {
        if case .undefined(let undefined) = value { throw undefined.failure }
        if let integer = value.integer {
            guard integer != Int.min else { throw overflow }
            return .int(-integer)
        }
        guard case .float(let number) = value else { throw unary("-", value) }
        return .float(-number)
    }

    static func positive(_ value: Value) throws -> Value {
        if case .undefined(let undefined) = value { throw undefined.failure }
        if let integer = value.integer { return .int(integer) }
        guard case .float = value else { throw unary("+", value) }
        return value
    }

    private static func unary(_ symbol: String, _ value: Value) -> Failure {
        Failure(.type, "bad operand type for unary \(symbol): '\(value.typeName)'")
    }

    static var overflow: Failure { Failure(.overflow, "An integer of more than 64 bits.") }

    // MARK: - Numbers

    private static func integers(
        _ symbol: ArithmeticOperator, _ left: Int, _ right: Int
    ) throws -> Value {
        let result: (partialValue: Int, overflow: Bool)
        switch symbol {
        case .add: result = left.addingReportingOverflow(right)
        case .subtract: result = left.subtractingReportingOverflow(right)
        case .multiply: result = left.multipliedReportingOverflow(by: right)
        case .divide: return try floats(.divide, Double(left), Double(right))
        case .floorDivide: result = (try floorDivision(left, right).quotient, false)
        case .modulo: result = (try floorDivision(left, right).remainder, false)
        case .power: return try power(left, right)
        }
        guard !result.overflow else { throw overflow }
        return .int(result.partialValue)
    }

    /// The quotient rounded down, and a remainder with the sign of the divisor.
    private static func floorDivision(
        _ left: Int, _ right: Int
    ) throws -> (quotient: Int, remainder: Int) {
        guard right != 0 else {
            throw Failure(.zeroDivision, "integer division or modulo by zero")
        }
        guard left != Int.min || right != -1 else { throw overflow }
        let (quotient, remainder) = left.quotientAndRemainder(dividingBy: right)
        let isRounded = remainder != 0 && (remainder < 0) != (right < 0)
        return isRounded ? (quotient - 1, remainder + right) : (quotient, remainder)
    }

    private static func power(_ base: Int, _ exponent: Int) throws -> Value {
        guard exponent >= 0 else { return try floats(.power, Double(base), Double(exponent)) }
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent % 2 == 0 ? 1 : -1) }
        guard exponent < Int.bitWidth else { throw overflow }
        var result = 1
        for _ in 0..<exponent {
            let (product, isOverflow) = result.multipliedReportingOverflow(by: base)
            guard !isOverflow else { throw overflow }
            result = product
        }
        return .int(result)
    }

    private static func floats(
        _ symbol: ArithmeticOperator, _ left: Double, _ right: Double
    ) throws -> Value {
        switch symbol {
        case .add: return .float(left + right)
        case .subtract: return .float(left - right)
        case .multiply: return .float(left * right)
        case .power: return try power(left, right)
        case .divide, .floorDivide, .modulo: break
        }
        guard right != 0 else {
            let name =
                symbol == .divide ? "division" : symbol == .modulo ? "modulo" : "floor division"
            throw Failure(.zeroDivision, "float \(name) by zero")
        }
        if symbol == .divide { return .float(left / right) }
        var remainder = fmod(left, right)
        var quotient = (left - remainder) / right
        if remainder != 0, (remainder < 0) != (right < 0) {
            remainder += right
            quotient -= 1
        } else if remainder == 0 {
            remainder = right < 0 ? -0.0 : 0.0
        }
        if symbol == .modulo { return .float(remainder) }
        let floored = quotient.rounded(.down)
        return .float(quotient - floored > 0.5 ? floored + 1 : floored)
    }

    private static func power(_ left: Double, _ right: Double) throws -> Value {
        if left == 0, right < 0 {
            throw Failure(.zeroDivision, "0.0 cannot be raised to a negative power")
        }
        let result = pow(left, right)
        if result.isNaN, !left.isNaN, !right.isNaN {
            throw Failure(.unsupported, "Complex numbers are not supported.")
        }
        if result.isInfinite, left.isFinite, right.isFinite {
            throw Failure(.overflow, "Numerical result out of range")
        }
        return .float(result)
    }

    // MARK: - Text and lists

    private static func sequences(
        _ symbol: ArithmeticOperator, _ left: Value, _ right: Value, _ interpreter: Interpreter
    ) throws -> Value {
        switch (symbol, left, right) {
        case (.modulo, .string(let format), _):
            let text = try PercentFormat.format(format, right, interpreter)
            return .string(try interpreter.charge(text))
        case (.modulo, .markup(let format), _):
            let text = try PercentFormat.format(format, right, interpreter, escapes: true)
            return .markup(try interpreter.charge(text))
        case (.add, _, _):
            if let sum = try sum(left, right, interpreter) { return sum }
        case (.multiply, _, _):
            if let count = right.integer, let product = try repeated(left, count, interpreter) {
                return product
            }
            if let count = left.integer, let product = try repeated(right, count, interpreter) {
                return product
            }
        default: break
        }
        throw Failure(
            .type,
            "unsupported operand type(s) for \(symbol.rawValue): '\(left.typeName)' and "
                + "'\(right.typeName)'")
    }

    private static func sum(
        _ left: Value, _ right: Value, _ interpreter: Interpreter
    ) throws -> Value? {
        switch (left, right) {
        case (.string(let left), .string(let right)):
            return .string(try interpreter.charge(left + right))
        case (.markup(let left), .markup(let right)):
            return .markup(try interpreter.charge(left + right))
        case (.markup(let left), .string(let right)):
            return .markup(try interpreter.charge(left + HTMLText.escaped(right)))
        case (.string(let left), .markup(let right)):
            return .markup(try interpreter.charge(HTMLText.escaped(left) + right))
        case (.list(let left), .list(let right)):
            try interpreter.charge(items: left.items.count + right.items.count)
            return .list(left.items + right.items)
        case (.tuple(let left), .tuple(let right)):
            try interpreter.charge(items: left.items.count + right.items.count)
            return .tuple(left.items + right.items)
        default: return nil
        }
    }

    private static func repeated(
        _ value: Value, _ count: Int, _ interpreter: Interpreter
    ) throws -> Value? {
        let count = max(0, count)
        switch value {
        case .string(let text):
            return .string(try repeated(text, count, interpreter))
        case .markup(let text):
            return .markup(try repeated(text, count, interpreter))
        case .list(let list), .tuple(let list):
            let (total, isOverflow) = list.items.count.multipliedReportingOverflow(by: count)
            try interpreter.charge(items: isOverflow ? Int.max / 2 : min(total, Int.max / 2))
            let items = Array(repeatElement(list.items, count: total == 0 ? 0 : count).joined())
            if case .list = value { return .list(items) }
            return .tuple(items)
        default: return nil
        }
    }

    /// `text` so many times, if that is not too long.
    static func repeated(_ text: String, _ count: Int, _ interpreter: Interpreter) throws -> String
    {
        let (bytes, isOverflow) = text.utf8.count.multipliedReportingOverflow(by: max(0, count))
        try interpreter.checkText(bytes: isOverflow ? Int.max : bytes)
        return try interpreter.charge(String(repeating: text, count: bytes == 0 ? 0 : count))
    }
}
