import OrderedJSON
import StructuredOutput

/// What `response_format` says an answer has to be.
enum ResponseFormat {
    case text
    /// Any JSON object.
    case object
    case schema(JSONValue, isStrict: Bool)

    /// Where the schema is, for messages.
    static let schemaField = "response_format.json_schema.schema"

    init(_ fields: RequestFields) throws(APIError) {
        guard let format = try fields.object("response_format") else {
            self = .text
            return
        }
        switch try format.text("type") ?? "text" {
        case "text": self = .text
        case "json_object": self = .object
        case "json_schema": self = try Self.schema(format)
        case let type:
            throw .invalid(
                "response_format",
                "\"\(type.prefix(40))\" is not \"text\", \"json_object\" or \"json_schema\"")
        }
    }

    private static func schema(_ format: RequestFields) throws(APIError) -> ResponseFormat {
        guard let schema = try format.object("json_schema"), let value = schema["schema"] else {
            throw .invalid("response_format", "needs json_schema with a schema in it")
        }
        let name = try schema.text("name") ?? ""
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isPartOfName) else {
            throw .invalid(
                "response_format.json_schema.name",
                "must be of 1 to 64 letters, digits, - and _")
        }
        return .schema(value, isStrict: try schema.boolean("strict") ?? false)
    }

    static func isPartOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
