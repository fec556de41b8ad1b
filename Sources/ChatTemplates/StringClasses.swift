/// Questions about text, and its forms, as Python answers them.
extension String {
    /// Whether the text is not empty and all its scalars pass.
    func holds(_ isMember: (Unicode.Scalar) -> Bool) -> Bool {
        !unicodeScalars.isEmpty && unicodeScalars.allSatisfy(isMember)
    }

    func hasExactPrefix(_ prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

    func hasExactSuffix(_ suffix: String) -> Bool {
        utf8.count >= suffix.utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// The bytes `start..<end`, which must be scalar boundaries, as text.
    func slice(_ start: Int, _ end: Int) -> String {
        String(decoding: Array(utf8)[start..<end], as: UTF8.self)
    }

    func dropping(_ bytes: Int) -> String { slice(bytes, utf8.count) }

    /// `str.isidentifier`.
    var isIdentifier: Bool {
        guard let first = unicodeScalars.first, first == "_" || first.properties.isXIDStart else {
            return false
        }
        return unicodeScalars.dropFirst().allSatisfy { $0.properties.isXIDContinue }
    }

    /// `str.islower`: some letters have case, and all of these are lower-case.
    var isLowercased: Bool {
        unicodeScalars.contains(where: \.isLower)
            && !unicodeScalars.contains { $0.isUpper || $0.isTitle }
    }

    /// `str.isupper`.
    var isUppercased: Bool {
        unicodeScalars.contains(where: \.isUpper)
            && !unicodeScalars.contains { $0.isLower || $0.isTitle }
    }

    /// `str.istitle`.
    var isTitlecased: Bool {
        var isCasedBefore = false
        var hasCased = false
        for scalar in unicodeScalars {
            if scalar.isUpper || scalar.isTitle {
                if isCasedBefore { return false }
                (isCasedBefore, hasCased) = (true, true)
            } else if scalar.isLower {
                if !isCasedBefore { return false }
                hasCased = true
            } else {
                isCasedBefore = false
            }
        }
        return hasCased
    }

    /// `str.swapcase`.
    var swapcased: String {
        unicodeScalars.map { scalar in
            if scalar.isUpper { return scalar.properties.lowercaseMapping }
            return scalar.isLower ? scalar.properties.uppercaseMapping : String(scalar)
        }.joined()
    }

    /// `str.casefold`, for the letters whose folding is not their lower-case form.
    var caseFolded: String {
        unicodeScalars.map(\.properties.lowercaseMapping).joined()
            .replacing("ß", with: "ss").replacing("ς", with: "σ")
    }

    /// `str.title`: a letter after one with case becomes lower-case, another title-case.
    var pythonTitlecased: String {
        let scalars = Array(unicodeScalars)
        return scalars.indices.map { index in
            let isCasedBefore = index > 0 && scalars[index - 1].properties.isCased
            return isCasedBefore
                ? Self.lowercased(scalars, index) : scalars[index].properties.titlecaseMapping
        }.joined()
    }
}
