import OrderedJSON
import StructuredOutput
import Synchronization

/// The grammars of recent answers: those who ask again for the same form share what is known of it.
final class AnswerGrammars: Sendable {
    /// Most grammars that are kept; each takes at most some 20 MB.
    private static let countLimit = 8

    private struct Entry {
        /// JSON of what was asked for.
        let key: [UInt8]
        let grammar: TokenGrammar
    }

    private let vocabulary: TokenVocabulary
    /// The one used last at the end.
    private let entries = Mutex<[Entry]>([])

    init(_ vocabulary: TokenVocabulary) { self.vocabulary = vocabulary }

    /// The constraint of one answer; nil if it may be anything.
    func constraint(_ format: ResponseFormat) throws(APIError) -> TokenConstraint? {
        switch format {
        case .text: return nil
        case .object:
            return try constraint([], "response_format") { () throws(SchemaError) in
                try Grammar.anyObject()
            }
        case .schema(let schema, let isStrict):
            let key = [isStrict ? 1 : 0] + schema.jsonBytes
            return try constraint(key, ResponseFormat.schemaField) { () throws(SchemaError) in
                try Grammar(schema: schema, isStrict: isStrict)
            }
        }
    }

    /// - Parameters:
    ///   - key: what tells one grammar from another.
    ///   - field: where in the request a schema's root is, for messages.
    func constraint(
        _ key: [UInt8], _ field: String, _ make: () throws(SchemaError) -> Grammar
    ) throws(APIError) -> TokenConstraint {
        if let known = known(key) { return TokenConstraint(known) }
        do throws(SchemaError) {
            let grammar = try TokenGrammar(try make(), vocabulary)
            entries.withLock { entries in
                entries.append(Entry(key: key, grammar: grammar))
                if entries.count > Self.countLimit { entries.removeFirst() }
            }
            return TokenConstraint(grammar)
        } catch {
            throw APIError(error, field)
        }
    }

    private func known(_ key: [UInt8]) -> TokenGrammar? {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
            entries.append(entries.remove(at: index))
            return entries[entries.count - 1].grammar
        }
    }
}

extension APIError {
    /// Why a schema cannot be followed.
    init(_ error: SchemaError, _ field: String) {
        let path = error.path.isEmpty ? field : "\(field).\(error.path)"
        self.init(400, "\(path): \(error.message)", field: field, code: "invalid_schema")
    }
}
