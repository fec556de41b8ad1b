import Foundation
import OrderedJSON

extension JSONValue {
    /// An array of numbers.
    static func floats(_ values: [Float]) -> JSONValue {
        .array(values.map { .decimal(Double($0)) })
    }

    /// Little-endian fp32 numbers as base64, which OpenAI's Python client asks for.
    static func base64(_ values: [Float]) -> JSONValue {
        var bytes = Data()
        for value in values {
            let bits = value.bitPattern
            bytes.append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
        }
        return .text(bytes.base64EncodedString())
    }
}
