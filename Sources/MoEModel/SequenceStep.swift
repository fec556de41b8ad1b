import Tensors

/// What one sequence adds to a step of the model: its next tokens, and what is wanted of them.
package struct SequenceStep: Sendable {
    /// Which of a step's rows a caller wants; the head is a large product.
    package enum Rows: Sendable { case none, last, all }

    /// What those rows are.
    package enum Result: Sendable {
        /// `[rows × vocabulary]`
        case logits
        /// The normalised hidden states from which the head makes logits, `[rows × hidden]`.
        case hiddenStates
    }

    /// At least one, each below the vocabulary's size.
    package let ids: [Int]
    /// The sequence so far; grows by `ids.count` positions.
    package var cache: KeyValueCache
    package let rows: Rows
    package let result: Result

    package init(ids: [Int], cache: KeyValueCache, rows: Rows, result: Result = .logits) {
        precondition(!ids.isEmpty, "a step needs at least one token")
        self.ids = ids
        self.cache = cache
        self.rows = rows
        self.result = result
    }
}

extension [SequenceStep] {
    /// Rows of all sequences.
    var rowCount: Int { reduce(0) { $0 + $1.ids.count } }
}

/// The rows of a step, or of a part of it, sequence after sequence, and the pages that their keys
/// and values go to.
struct StepRows: Sendable {
    struct Sequence: Sendable {
        /// Its rows among the step's.
        let rows: Range<Int>
        /// Position of the first of them.
        let position: Int
        /// Room for all its positions, these rows' included.
        let pages: [KeyValuePage]
    }

    let sequences: [Sequence]
    let layout: KeyValueLayout
    /// The rows' turns, for each of the model's rotary embeddings.
    let turns: [RotaryTurns]

    /// - Parameter range: which of the step's rows.
    /// - Precondition: every cache has reserved room for its step, in pages of one layout.
    init(_ steps: [SequenceStep], rotaries: [RotaryEmbedding], range: Range<Int>) {
        precondition(!steps.isEmpty, "a step needs at least one sequence")
        let layout = steps[0].cache.pool.layout
        var sequences: [Sequence] = []
        var first = 0
        for step in steps {
            precondition(step.cache.pool.layout == layout, "all caches are of one model")
            let own = (first..<first + step.ids.count).clamped(to: range)
            if !own.isEmpty {
                sequences.append(
                    Sequence(
                        rows: own.lowerBound - range.lowerBound..<own.upperBound - range.lowerBound,
                        position: step.cache.positions + own.lowerBound - first,
                        pages: step.cache.pages))
            }
            first += step.ids.count
        }
        turns = rotaries.map { rotary in
            RotaryTurns(
                joining: sequences.map {
                    rotary.turns($0.position..<$0.position + $0.rows.count)
                })
        }
        self.sequences = sequences
        self.layout = layout
    }
}
