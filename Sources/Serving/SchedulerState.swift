/// Which sequences advance in the next step, and by how many tokens: continuous batching
/// (Yu et al. 2022, Orca) with chunked prefill (Agrawal et al. 2023, Sarathi).
///
/// Answers go first: each running answer gets one row in every step. What is left of the step's
/// rows goes to prompts, in equal parts, so that a long one delays neither answers nor short ones.
/// A sequence is let in, in order of arrival, when pages for its whole prompt and answer are free:
/// what runs never runs out of memory.
package struct SchedulerState: Sendable {
    /// How much goes on at once.
    package struct Limits: Sendable, Equatable {
        /// Most sequences that advance together.
        package var running = 64
        /// Most requests that wait.
        package var waiting = 256
        /// Most rows of a step: bounds how long answers wait for others' prompts.
        package var rows = 256
        /// Whether a prompt may be read in several steps; if not, it is read in one, however long.
        package var splitsPrompts = true

        package init() {}
    }

    /// One request, as far as planning is concerned.
    package struct Sequence: Sendable, Equatable {
        package let id: Int
        /// Tokens that must be read before the first one is drawn.
        package let promptCount: Int
        /// Most tokens of the answer.
        package let answerLimit: Int
        /// Positions read, reused ones included.
        package var read = 0
        /// Tokens drawn.
        package var drawn = 0

        package init(id: Int, promptCount: Int, answerLimit: Int) {
            self.id = id
            self.promptCount = promptCount
            self.answerLimit = answerLimit
        }

        /// Positions at its end: the last token drawn is never read.
        package var positions: Int { max(promptCount, promptCount + answerLimit - 1) }
        package var isDecoding: Bool { read >= promptCount }
    }

    /// What one sequence does in a step.
    package struct Share: Sendable, Equatable {
        package let id: Int
        /// Tokens read.
        package let rows: Int
        /// Whether a token is drawn from the last of them.
        package let draws: Bool
    }

    package let limits: Limits
    package private(set) var waiting: [Sequence] = []
    package private(set) var running: [Sequence] = []
    /// Where the next step starts to deal rows to prompts.
    private var turn = 0

    package init(_ limits: Limits) { self.limits = limits }

    /// Whether another request may wait.
    package var hasRoom: Bool { waiting.count < limits.waiting }
    package var isEmpty: Bool { waiting.isEmpty && running.isEmpty }

    /// Lets a request wait; there must be room.
    package mutating func submit(_ sequence: Sequence) {
        precondition(hasRoom, "the queue has room")
        waiting.append(sequence)
    }

    /// The request that is let in next, or nil.
    package var next: Sequence? { running.count < limits.running ? waiting.first : nil }

    /// Lets in `next`, of which `reused` positions need no reading.
    package mutating func admit(reused: Int) {
        var sequence = waiting.removeFirst()
        precondition(reused < sequence.promptCount, "the last token of a prompt is read")
        sequence.read = reused
        running.append(sequence)
    }

    /// Forgets a request, wherever it is.
    package mutating func remove(_ id: Int) {
        waiting.removeAll { $0.id == id }
        running.removeAll { $0.id == id }
    }

    /// What the running sequences do next; counts it as done.
    ///
    /// - Returns: shares in order of arrival; empty when nothing runs.
    package mutating func step() -> [Share] {
        var rows: [Int: Int] = [:]
        var left = limits.rows
        for sequence in running where sequence.isDecoding {
            rows[sequence.id] = 1
            left -= 1
        }
        deal(max(left, 1), to: &rows)
        var shares: [Share] = []
        for index in running.indices {
            guard let count = rows[running[index].id], count > 0 else { continue }
            running[index].read += count
            let draws = running[index].isDecoding
            if draws { running[index].drawn += 1 }
            shares.append(Share(id: running[index].id, rows: count, draws: draws))
        }
        return shares
    }

    /// Deals rows to prompts in equal parts; what short ones do not need goes to the others.
    private mutating func deal(_ budget: Int, to rows: inout [Int: Int]) {
        var open = running.filter { !$0.isDecoding }
        guard !open.isEmpty else { return }
        guard limits.splitsPrompts else { return dealWhole(open, budget, to: &rows) }
        turn = (turn + 1) % open.count
        open = Array(open[turn...] + open[..<turn])
        open.sort { $0.promptCount - $0.read < $1.promptCount - $1.read }
        var left = budget
        for (index, sequence) in open.enumerated() {
            let part = (left + open.count - index - 1) / (open.count - index)
            let count = min(part, sequence.promptCount - sequence.read)
            rows[sequence.id] = count
            left -= count
        }
    }

    /// Deals rows to whole prompts in order of arrival: to the first, and to those behind it as far
    /// as rows reach.
    private func dealWhole(_ open: [Sequence], _ budget: Int, to rows: inout [Int: Int]) {
        var left = budget
        for (index, sequence) in open.enumerated() {
            let count = sequence.promptCount - sequence.read
            guard index == 0 || count <= left else { return }
            rows[sequence.id] = count
            left -= count
        }
    }
}
