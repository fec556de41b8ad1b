/// What two neighbouring tokens merge into, and how early: an open-addressing hash table of pairs.
struct MergeTable: Sendable {
    /// A merge; `rank` 0 is applied first.
    struct Merge: Sendable {
        let rank: Int32
        let id: Int32
    }

    private var keys: [UInt64]
    private var merges: [Merge]
    private(set) var count = 0
    /// No pair has this key: ids stay below 2^22.
    private static let empty = UInt64.max

    init(capacity: Int) {
        var slots = 16
        while slots < capacity * 2 { slots *= 2 }
        keys = [UInt64](repeating: Self.empty, count: slots)
        merges = [Merge](repeating: Merge(rank: 0, id: 0), count: slots)
    }

    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge? {
        let slot = slot(Self.key(left, right))
        return keys[slot] == Self.empty ? nil : merges[slot]
    }

    /// Adds a merge; replaces an earlier one of the same pair, as Hugging Face's reader does.
    mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
        var slot = slot(Self.key(left, right))
        if keys[slot] == Self.empty {
            count += 1
            if count * 2 > keys.count {
                grow()
                slot = self.slot(Self.key(left, right))
            }
        }
        keys[slot] = Self.key(left, right)
        merges[slot] = merge
    }

    private mutating func grow() {
        let old = self
        keys = [UInt64](repeating: Self.empty, count: old.keys.count * 2)
        merges = [Merge](repeating: Merge(rank: 0, id: 0), count: keys.count)
        for index in old.keys.indices where old.keys[index] != Self.empty {
            let slot = slot(old.keys[index])
            keys[slot] = old.keys[index]
            merges[slot] = old.merges[index]
        }
    }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The slot that holds `key`, or the empty one where it belongs.
    @inline(__always)
    private func slot(_ key: UInt64) -> Int {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
        while keys[slot] != key && keys[slot] != Self.empty { slot = (slot + 1) & mask }
        return slot
    }
}
