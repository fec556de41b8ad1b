import Tokenizers

/// Tokens by their bytes, as a tree: tokens that begin alike are looked at together.
///
/// The nodes lie in the order in which a walk comes to them, each with the place where its subtree
/// ends, so that a walk is one loop that skips what is not allowed.
struct TokenTrie: Sendable {
    /// The byte that leads to each node.
    private var bytes: [UInt8] = []
    /// How many bytes lead to the node's parent.
    private var depths: [Int32] = []
    /// The node after each node's subtree.
    private var ends: [Int32] = []
    /// Where in `ids` the tokens of each node begin; they end where the next node's begin.
    private var firstID: [Int32] = []
    private var ids: [Int32] = []
    private var longest = 0

    /// - Parameter tokens: each with at least one byte.
    /// - Complexity: O(bytes · log tokens).
    init(_ tokens: [(id: Int, bytes: [UInt8])]) {
        let sorted = tokens.sorted {
            $0.bytes == $1.bytes ? $0.id < $1.id : $0.bytes.lexicographicallyPrecedes($1.bytes)
        }
        // The nodes on the way to the last token.
        var path: [Int] = []
        var last: [UInt8] = []
        for token in sorted {
            let common = zip(last, token.bytes).prefix { $0 == $1 }.count
            for node in path[common...] { ends[node] = Int32(bytes.count) }
            path.removeSubrange(common...)
            for byte in token.bytes[common...] {
                path.append(bytes.count)
                bytes.append(byte)
                depths.append(Int32(path.count - 1))
                ends.append(0)
                firstID.append(Int32(ids.count))
            }
            ids.append(Int32(token.id))
            last = token.bytes
            longest = max(longest, last.count)
        }
        for node in path { ends[node] = Int32(bytes.count) }
        firstID.append(Int32(ids.count))
    }

    /// Adds the tokens all of whose bytes can follow a configuration.
    ///
    /// - Complexity: O(nodes that can follow, and their children).
    func insert(
        following start: Int, of machine: inout GrammarMachine, into allowed: inout TokenSet
    ) {
        var configurations = Array(repeating: start, count: longest + 1)
        var node = 0
        while node < bytes.count {
            let depth = Int(depths[node])
            let next = machine.step(configurations[depth], byte: bytes[node])
            guard next != GrammarMachine.dead else {
                node = Int(ends[node])
                continue
            }
            configurations[depth + 1] = next
            node += 1
            for index in firstID[node - 1]..<firstID[node] { allowed.insert(Int(ids[Int(index)])) }
        }
    }
}
