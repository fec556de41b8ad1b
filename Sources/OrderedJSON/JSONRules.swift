/// What one kind of JSON document may ask for. Whoever reads a document sets its rules.
package struct JSONRules: Sendable {
    /// Things that RFC 8259 leaves to the reader and that a reader may refuse.
    package struct Refusals: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) { self.rawValue = rawValue }

        /// A key that stands twice in one object. Otherwise both members are kept.
        package static let repeatedKeys = Refusals(rawValue: 1)
        /// Half of a surrogate pair in an escape. Otherwise it becomes U+FFFD.
        package static let loneSurrogates = Refusals(rawValue: 2)
        /// A whole number that does not fit 64 bits. Otherwise it becomes the nearest Double.
        package static let largeIntegers = Refusals(rawValue: 4)
    }

    /// Bytes of one number. The longest exact Double has some 1,080; converting more digits costs
    /// time and says nothing.
    package static let numberByteCount = 2 << 10

    /// Bytes of the document.
    package let byteCount: Int
    /// Arrays and objects inside each other. The reader recurses, so depth costs stack.
    package let depth: Int
    /// Values of every kind, those inside others included. Each costs memory however short it is.
    package let valueCount: Int
    package let refusals: Refusals

    package init(byteCount: Int, depth: Int, valueCount: Int, refusals: Refusals = []) {
        self.byteCount = byteCount
        self.depth = depth
        self.valueCount = valueCount
        self.refusals = refusals
    }
}
