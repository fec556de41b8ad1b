/// Character classes and properties.
extension PatternParser {
    /// What follows "[": items, nested classes and intersections, up to "]".
    mutating func characterClass(depth: Int) throws(Unsupported) -> ScalarSet {
        guard depth <= TokenizerLimits.nestingDepth else {
            throw Unsupported(
                construct: "classes nested deeper than \(TokenizerLimits.nestingDepth)")
        }
        let isNegated = consume("^")
        var set = try classUnion(depth: depth)
        while consume("&&") { set = set.intersection(try classUnion(depth: depth)) }
        guard consume("]") else { throw Unsupported(construct: "a class without end") }
        return isNegated ? set.inverted : set
    }

    private mutating func classUnion(depth: Int) throws(Unsupported) -> ScalarSet {
        var set = ScalarSet()
        var isEmpty = true
        while let scalar = current, scalar != "]", !isNext("&&") {
            if isNext("[:") { throw Unsupported(construct: "[:") }
            set = set.union(consume("[") ? try characterClass(depth: depth + 1) : try classItem())
            isEmpty = false
        }
        if isEmpty { throw Unsupported(construct: "an empty class") }
        return set
    }

    /// What follows `\p`.
    mutating func property() throws(Unsupported) -> ScalarSet {
        guard consume("{") else { throw Unsupported(construct: "\\p without {") }
        let isNegated = consume("^")
        var name = ""
        while let scalar = current, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard consume("}"), let set = ScalarSet(property: name) else {
            throw Unsupported(construct: "\\p{\(name)}")
        }
        return isNegated ? set.inverted : set
    }

    private mutating func classItem() throws(Unsupported) -> ScalarSet {
        guard let lower = try classBound() else { return try escape() }
        guard isNext("-"), position + 1 < scalars.count, scalars[position + 1] != "]" else {
            return try literal(lower)
        }
        position += 1
        guard let upper = try classBound(), lower <= upper else {
            throw Unsupported(construct: "a range in a class")
        }
        guard !ignoresCase else { throw Unsupported(construct: "a range that ignores case") }
        return ScalarSet(ranges: [lower.value...upper.value])
    }

    /// A single scalar of a class; nil (and the backslash consumed) before `\s`, `\p{…}` and so on.
    private mutating func classBound() throws(Unsupported) -> Unicode.Scalar? {
        let scalar = try next()
        guard scalar == "\\" else { return scalar }
        if let letter = current, "sSdDwWpP".unicodeScalars.contains(letter) { return nil }
        return try escapedScalar(try next())
    }
}
