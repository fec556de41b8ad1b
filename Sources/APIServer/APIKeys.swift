import Crypto

/// Who may use the server: the SHA-256 digests of keys, so that the file gives none away.
///
/// Keys are long and random, so a plain digest is enough. A line of the file is a digest in
/// hexadecimal, a space and a name; empty lines and lines that begin with "#" say nothing.
package struct APIKeys: Sendable {
    /// A key's digest and what it is for.
    package struct Entry: Sendable, Equatable {
        package let name: String
        /// SHA-256, in lower-case hexadecimal.
        package let digest: String

        init(name: String, digest: String) { (self.name, self.digest) = (name, digest) }

        /// The entry of a new key.
        package init(name: String, key: String) {
            self.init(name: name, digest: APIKeys.digest(of: key))
        }
    }

    /// Most keys of a file.
    package static let countLimit = 10_000

    /// In the file's order.
    package let entries: [Entry]

    /// Reads a file's text.
    ///
    /// - Throws: `APIKeysError` naming the line that is wrong.
    package init(_ text: String) throws(APIKeysError) {
        var entries: [Entry] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].utf8.count == 64,
                parts[0].allSatisfy({ $0.isHexDigit && !$0.isUppercase })
            else { throw APIKeysError(line: number + 1, "is not a SHA-256 digest and a name") }
            guard entries.count < Self.countLimit else {
                throw APIKeysError(line: number + 1, "is beyond \(Self.countLimit) keys")
            }
            entries.append(Entry(name: String(parts[1]), digest: String(parts[0])))
        }
        self.entries = entries
    }

    /// The digest that a file has for `key`.
    package static func digest(of key: String) -> String {
        SHA256.hash(data: Array(key.utf8)).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }.joined()
    }

    /// Whether `key` is one of them. Compares with all, each byte of them, so that the time taken
    /// tells nothing.
    package func contain(_ key: String) -> Bool {
        let digest = Array(Self.digest(of: key).utf8)
        var isKnown = false
        for entry in entries {
            let difference = zip(digest, entry.digest.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
            isKnown = difference == 0 || isKnown
        }
        return isKnown
    }
}

/// Why a file of keys cannot be read.
package struct APIKeysError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(line: Int, _ message: String) { description = "line \(line) \(message)" }
}
