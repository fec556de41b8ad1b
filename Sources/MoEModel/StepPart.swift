import Tensors

/// Rows of a step that go through the layers together.
///
/// While a part's experts are out on other machines, the next part is computed here. A row's result
/// does not depend on the rows beside it, so the number of parts changes no bit.
struct StepPart {
    /// Which of the step's rows.
    let range: Range<Int>
    let rows: StepRows
    /// `[range × hidden]`, the residual stream.
    var hidden: Matrix
    /// What was begun for the last layer.
    var mixture: MixtureUnderWay?

    init(range: Range<Int>, rows: StepRows, hidden: Matrix) {
        self.range = range
        self.rows = rows
        self.hidden = hidden
    }

    /// Waits for what was begun, and adds it.
    mutating func takeMixture() throws {
        guard let mixture else { return }
        self.mixture = nil
        hidden.add(try mixture.result())
    }

    /// The rows of a step in at most `count` ranges of about one size, in order, none empty.
    ///
    /// - Parameters:
    ///   - lengths: rows of each sequence, at least one each.
    ///   - divides: whether a sequence's rows may be in several ranges.
    static func ranges(_ lengths: [Int], count: Int, divides: Bool) -> [Range<Int>] {
        let rows = lengths.reduce(0, +)
        var ends = (1...max(1, count)).map { rows * $0 / max(1, count) }
        if !divides {
            let sequenceEnds = lengths.reduce(into: []) { $0.append(($0.last ?? 0) + $1) }
            ends = ends.map { end in sequenceEnds.first { $0 >= end } ?? rows }
        }
        var ranges: [Range<Int>] = []
        for end in ends where end > ranges.last?.upperBound ?? 0 {
            ranges.append((ranges.last?.upperBound ?? 0)..<end)
        }
        return ranges
    }
}
