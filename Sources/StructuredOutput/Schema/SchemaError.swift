/// Why answers cannot be forced into a form.
package struct SchemaError: Error, Equatable, CustomStringConvertible {
    /// The keyword at fault, from the schema's root: `properties.age.minimum`; empty for all of it.
    package let path: String
    /// One line.
    package let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    /// A keyword or value that is in JSON Schema but not here.
    static func unsupported(_ path: String, _ what: String = "this keyword") -> SchemaError {
        SchemaError(path, "\(what) is not supported in forced answers")
    }

    /// The path and what is wrong there.
    package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
