import Synchronization
import Tokenizers

/// A grammar over a model's tokens. Answers that follow the same grammar share one, with what it
/// has already worked out.
package final class TokenGrammar: Sendable {
    /// Configurations after which all that was worked out is forgotten.
    private let configurationLimit: Int
    /// Bytes of masks after which they are forgotten.
    private static let maskByteLimit = 8 << 20

    /// A place in the grammar. It is good until its machine is made anew.
    struct Place: Sendable {
        var configuration: Int
        var generation: Int
    }

    private struct State {
        var machine: GrammarMachine
        /// Increases when the machine is made anew.
        var generation = 0
        var masks: [Int: TokenSet] = [:]
        /// Configurations from which each plain character leads back.
        var isFreeText: [Int: Bool] = [:]
    }

    private let grammar: Grammar
    private let vocabulary: TokenVocabulary
    private let state: Mutex<State>

    /// - Parameter configurationLimit: bounds the memory.
    /// - Throws: `SchemaError` if nothing of the language can be written with the vocabulary.
    package init(
        _ grammar: Grammar, _ vocabulary: TokenVocabulary, configurationLimit: Int = 1 << 14
    ) throws(SchemaError) {
        guard let pruned = grammar.pruned(available: vocabulary.singleBytes) else {
            throw SchemaError("", "no value can satisfy it")
        }
        self.grammar = pruned
        self.vocabulary = vocabulary
        self.configurationLimit = configurationLimit
        state = Mutex(State(machine: GrammarMachine(pruned)))
    }

    var start: Place { Place(configuration: 0, generation: 0) }

    /// The tokens that can follow.
    ///
    /// - Parameters:
    ///   - place: is renewed if it was of a machine that is gone.
    ///   - taken: the tokens that led to it.
    /// - Complexity: O(vocabulary / 64) where it is known, O(bytes of what can follow) the first
    ///   time.
    func allowed(at place: inout Place, after taken: [Int]) -> TokenSet {
        state.withLock { state in
            renew(&place, taken, &state)
            if let known = state.masks[place.configuration] { return known }
            let mask = mask(at: place.configuration, &state)
            if (state.masks.count + 1) * mask.byteCount > Self.maskByteLimit {
                state.masks = [:]
            }
            state.masks[place.configuration] = mask
            return mask
        }
    }

    /// Goes on by a token; returns whether it can follow.
    func advance(_ place: inout Place, by id: Int, after taken: [Int]) -> Bool {
        state.withLock { state in
            renew(&place, taken, &state)
            let next = step(place.configuration, id, &state.machine)
            guard next != GrammarMachine.dead else { return false }
            place.configuration = next
            return true
        }
    }

    /// Whether the answer is whole, and whether nothing can follow.
    func completion(
        at place: inout Place, after taken: [Int]
    ) -> (isComplete: Bool, isFinal: Bool) {
        state.withLock { state in
            renew(&place, taken, &state)
            return (
                state.machine.isComplete(place.configuration),
                state.machine.isFinal(place.configuration)
            )
        }
    }

    /// Begins with an empty machine where it has grown too large, and finds the place in it again.
    private func renew(_ place: inout Place, _ taken: [Int], _ state: inout State) {
        if state.machine.count > configurationLimit {
            state = State(
                machine: GrammarMachine(grammar), generation: state.generation + 1)
        }
        guard place.generation != state.generation else { return }
        place = Place(configuration: state.machine.start, generation: state.generation)
        for id in taken { place.configuration = step(place.configuration, id, &state.machine) }
    }

    private func step(_ start: Int, _ id: Int, _ machine: inout GrammarMachine) -> Int {
        guard vocabulary.bytes.indices.contains(id), !vocabulary.bytes[id].isEmpty else {
            return machine.step(start, token: id)
        }
        var configuration = start
        for byte in vocabulary.bytes[id] {
            configuration = machine.step(configuration, byte: byte)
            if configuration == GrammarMachine.dead { break }
        }
        return configuration
    }

    private func mask(at configuration: Int, _ state: inout State) -> TokenSet {
        var mask: TokenSet
        if isFreeText(configuration, &state) {
            mask = vocabulary.plain
            vocabulary.others.insert(following: configuration, of: &state.machine, into: &mask)
        } else {
            mask = TokenSet(count: vocabulary.count)
            vocabulary.trie.insert(following: configuration, of: &state.machine, into: &mask)
        }
        for id in state.machine.tokens
        where state.machine.step(configuration, token: id) != GrammarMachine.dead {
            mask.insert(id)
        }
        return mask
    }

    /// Whether each character that stands for itself in a JSON string leads back, so that all plain
    /// tokens can follow. Goes through the forms of UTF-8 (RFC 3629, section 4).
    private func isFreeText(_ configuration: Int, _ state: inout State) -> Bool {
        if let known = state.isFreeText[configuration] { return known }
        var places = [UTF8Form.start: configuration]
        var pending = [UTF8Form.start]
        var isFree = true
        search: while let form = pending.popLast() {
            for (bytes, next) in form.steps {
                for byte in bytes where !UTF8Form.isEscaped(byte) {
                    let reached = state.machine.step(places[form] ?? 0, byte: byte)
                    guard reached != GrammarMachine.dead, places[next] ?? reached == reached
                    else {
                        isFree = false
                        break search
                    }
                    if places.updateValue(reached, forKey: next) == nil { pending.append(next) }
                }
            }
        }
        state.isFreeText[configuration] = isFree
        return isFree
    }
}

/// What is still missing of a character of UTF-8.
private enum UTF8Form: Hashable {
    case start
    case one, two, three
    case afterE0, afterED, afterF0, afterF4

    static func isEscaped(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    var steps: [(bytes: ClosedRange<UInt8>, next: UTF8Form)] {
        switch self {
        case .start:
            [
                (0x20...0x7F, .start), (0xC2...0xDF, .one), (0xE0...0xE0, .afterE0),
                (0xE1...0xEC, .two), (0xED...0xED, .afterED), (0xEE...0xEF, .two),
                (0xF0...0xF0, .afterF0), (0xF1...0xF3, .three), (0xF4...0xF4, .afterF4),
            ]
        case .one: [(0x80...0xBF, .start)]
        case .two: [(0x80...0xBF, .one)]
        case .three: [(0x80...0xBF, .two)]
        case .afterE0: [(0xA0...0xBF, .one)]
        case .afterED: [(0x80...0x9F, .one)]
        case .afterF0: [(0x90...0xBF, .two)]
        case .afterF4: [(0x80...0x8F, .two)]
        }
    }
}
