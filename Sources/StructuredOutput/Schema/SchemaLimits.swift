/// What a schema may ask for.
package enum SchemaLimits {
    /// Values of the schema, each keyword's among them.
    package static let values = 1 << 14
    /// Arrays and objects inside each other in the schema.
    package static let depth = 48
    /// Steps of resolving references, alternatives and `allOf`, which can multiply.
    package static let resolutions = 1 << 14
    /// States of the automaton: characters of keys and texts, and each of a limited number of
    /// elements or characters, cost some.
    package static let states = 1 << 17
    /// Arrays and objects inside each other where a schema leaves the value open.
    package static let openDepth = 24
    /// Blanks after a new line between two tokens of JSON.
    package static let indentation = 32
    /// Characters of a pattern.
    package static let patternLength = 4096
    /// Groups inside each other in a pattern.
    package static let patternDepth = 32
}
