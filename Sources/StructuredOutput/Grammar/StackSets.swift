/// Sets of stacks of return addresses, each set kept once.
///
/// Where a grammar may be in several calls at once, their stacks share most of their frames. A set
/// is a tree: the top frames in order, each with the set of what lies below it. Equal sets are the
/// same number, so that they compare at once, and ambiguity at each level of nesting costs a sum
/// and not a product. (After the graph-structured stack of Tomita, 1985.)
struct StackSets {
    /// A top frame and what lies below.
    struct Frame: Hashable {
        let state: Int32
        let below: Int32
    }

    private struct Pair: Hashable {
        let first: Int32
        let second: Int32
    }

    /// The frame of the bottom of a stack.
    static let bottomState: Int32 = -1

    /// The set of the one stack that has only the bottom.
    let bottom: Int32
    private var sets: [[Frame]] = []
    private var numbers: [[Frame]: Int32] = [:]
    private var unions: [Pair: Int32] = [:]

    init() {
        let frames = [Frame(state: Self.bottomState, below: 0)]
        bottom = 0
        sets = [frames]
        numbers = [frames: 0]
    }

    /// The top frames of a set, by state.
    func frames(_ set: Int32) -> [Frame] { sets[Int(set)] }

    /// The set of a set's stacks with one frame more.
    mutating func push(_ state: Int, on set: Int32) -> Int32 {
        number([Frame(state: Int32(state), below: set)])
    }

    /// - Complexity: O(frames that are not shared), the first time.
    mutating func union(_ first: Int32, _ second: Int32) -> Int32 {
        guard first != second else { return first }
        let pair = Pair(first: min(first, second), second: max(first, second))
        if let known = unions[pair] { return known }
        var below: [Int32: Int32] = [:]
        for frame in sets[Int(first)] { below[frame.state] = frame.below }
        for frame in sets[Int(second)] {
            if let other = below[frame.state] {
                below[frame.state] = union(other, frame.below)
            } else {
                below[frame.state] = frame.below
            }
        }
        let frames = below.map { Frame(state: $0.key, below: $0.value) }
            .sorted { $0.state < $1.state }
        let result = number(frames)
        unions[pair] = result
        return result
    }

    private mutating func number(_ frames: [Frame]) -> Int32 {
        if let known = numbers[frames] { return known }
        let new = Int32(sets.count)
        sets.append(frames)
        numbers[frames] = new
        return new
    }
}
