/// The tokens of a model by id, and ids by the bytes of the token.
///
/// Tokens lie end to end in one array; a hash table with linear probing finds them, so a look-up
/// compares bytes, never strings.
struct Vocabulary: Sendable {
    /// Why a token cannot be added.
    enum Conflict: Error {
        case idTaken, tokenTaken(id: Int)
    }

    /// Where a token comes from. The model itself does not know added tokens: a piece of text that
    /// equals one is still spelled with the model's own.
    private enum Kind {
        case absent, model, added
    }

    private var bytes: [UInt8] = []
    private var ranges: [Range<Int32>] = []
    private var kinds: [Kind] = []
    /// Ids by hash; -1 where empty. The count is a power of two, at least twice the tokens'.
    private var slots: [Int32] = []
    private var filled = 0

    /// The highest id plus one.
    var count: Int { ranges.count }

    init(capacity: Int) {
        slots = [Int32](repeating: -1, count: Self.slotCount(capacity))
    }

    /// The token's bytes; empty for an id without a token.
    subscript(_ id: Int) -> ArraySlice<UInt8> {
        guard ranges.indices.contains(id) else { return [] }
        return bytes[Int(ranges[id].lowerBound)..<Int(ranges[id].upperBound)]
    }

    func contains(_ id: Int) -> Bool { kinds.indices.contains(id) && kinds[id] != .absent }

    /// The id of the token `text[range]`, or nil.
    func id(of text: [UInt8], _ range: Range<Int>) -> Int? {
        var slot = Self.hash(text, range) & (slots.count - 1)
        while slots[slot] >= 0 {
            let id = Int(slots[slot])
            if isEqual(ranges[id], text, range) { return id }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    func id(of token: [UInt8]) -> Int? { id(of: token, 0..<token.count) }

    /// The id of the model's own token `text[range]`, or nil.
    func modelID(of text: [UInt8], _ range: Range<Int>) -> Int? {
        guard let id = id(of: text, range), kinds[id] == .model else { return nil }
        return id
    }

    /// Adds a token. An empty token takes its id but cannot be found by its bytes.
    mutating func insert(
        _ token: [UInt8], id: Int, isAdded: Bool = false
    ) throws(Conflict) {
        if contains(id) { throw .idTaken }
        if !token.isEmpty, let other = self.id(of: token) { throw .tokenTaken(id: other) }
        while ranges.count <= id {
            ranges.append(0..<0)
            kinds.append(.absent)
        }
        let start = Int32(bytes.count)
        bytes += token
        ranges[id] = start..<Int32(bytes.count)
        kinds[id] = isAdded ? .added : .model
        guard !token.isEmpty else { return }
        filled += 1
        if filled * 2 > slots.count { grow() }
        place(id)
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for id in ranges.indices where !ranges[id].isEmpty { place(id) }
    }

    private mutating func place(_ id: Int) {
        let range = Int(ranges[id].lowerBound)..<Int(ranges[id].upperBound)
        var slot = Self.hash(bytes, range) & (slots.count - 1)
        while slots[slot] >= 0 && slots[slot] != id { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(id)
    }

    private func isEqual(_ token: Range<Int32>, _ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard token.count == range.count else { return false }
        let start = Int(token.lowerBound)
        for offset in 0..<range.count where bytes[start + offset] != text[range.lowerBound + offset]
        {
            return false
        }
        return true
    }

    private static func slotCount(_ tokens: Int) -> Int {
        var count = 16
        while count < tokens * 2 { count *= 2 }
        return count
    }

    /// FNV-1a, then a multiplication that brings the high bits down.
    @inline(__always)
    static func hash(_ text: [UInt8], _ range: Range<Int>) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 20)
    }
}
