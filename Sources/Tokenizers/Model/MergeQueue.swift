/// Merges a long piece: symbols in a linked list, candidate pairs in a binary heap.
///
/// A candidate is checked when it is taken: it is stale when its left symbol is gone or now merges
/// into something else.
struct MergeQueue {
    private struct Candidate {
        let rank: Int32
        let id: Int32
        let position: Int32

        @inline(__always)
        func precedes(_ other: Candidate) -> Bool {
            rank != other.rank ? rank < other.rank : position < other.position
        }
    }

    private let merges: MergeTable
    private var symbols: [Int32]
    private var previous: [Int32]
    private var next: [Int32]
    private var heap: [Candidate] = []
    /// A symbol that was merged into its left neighbour.
    private static let gone: Int32 = -1

    /// - Parameter symbols: fewer than 2^31.
    init(_ symbols: [Int32], _ merges: MergeTable) {
        self.symbols = symbols
        self.merges = merges
        previous = (0..<Int32(symbols.count)).map { $0 - 1 }
        next = (0..<Int32(symbols.count)).map { $0 + 1 }
        for position in symbols.indices.dropLast() { addCandidate(Int32(position)) }
    }

    /// - Returns: the symbols that no merge applies to any more, in order.
    /// - Complexity: O(n log n) for n symbols.
    mutating func mergeAll() -> [Int32] {
        while let best = popCandidate() {
            let left = Int(best.position)
            guard symbols[left] != Self.gone, Int(next[left]) < symbols.count else { continue }
            let right = Int(next[left])
            guard merges.merge(symbols[left], symbols[right])?.id == best.id else { continue }
            symbols[left] = best.id
            symbols[right] = Self.gone
            next[left] = next[right]
            if Int(next[left]) < symbols.count {
                previous[Int(next[left])] = best.position
                addCandidate(best.position)
            }
            if previous[left] >= 0 { addCandidate(previous[left]) }
        }
        return symbols.filter { $0 != Self.gone }
    }

    private mutating func addCandidate(_ position: Int32) {
        let left = symbols[Int(position)]
        let right = symbols[Int(next[Int(position)])]
        guard let merge = merges.merge(left, right) else { return }
        heap.append(Candidate(rank: merge.rank, id: merge.id, position: position))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popCandidate() -> Candidate? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(last) else { break }
            heap[hole] = heap[child]
            hole = child
        }
        heap[hole] = last
        return first
    }
}
