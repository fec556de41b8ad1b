import Tensors

/// The cosines and sines by which pairs of elements turn at consecutive positions.
struct RotaryTurns: Sendable {
    let pairing: RotaryConfiguration.Pairing
    /// Pairs that turn in each head.
    let pairs: Int
    /// `[positions × pairs]`
    var cosines: [Float] = []
    /// `[positions × pairs]`
    var sines: [Float] = []

    init(pairing: RotaryConfiguration.Pairing, pairs: Int) {
        self.pairing = pairing
        self.pairs = pairs
    }

    /// The turns of several sequences' positions, one after another.
    ///
    /// - Precondition: at least one, all of one rotary embedding.
    init(joining parts: [RotaryTurns]) {
        self = parts[0]
        for part in parts.dropFirst() {
            cosines += part.cosines
            sines += part.sines
        }
    }

    /// Rotates a part of every head of every row in place.
    ///
    /// - Parameters:
    ///   - matrix: `[positions × (heads · headSize)]`, one row per position.
    ///   - headSize: elements from one head to the next.
    ///   - offset: where in a head the `2 · pairs` turning elements start.
    /// - Complexity: O(rows × heads × pairs).
    func rotate(_ matrix: inout Matrix, headSize: Int, offset: Int = 0) {
        precondition(cosines.count == matrix.rows * pairs, "turns are one row per row")
        precondition(
            headSize > 0 && matrix.columns % headSize == 0 && offset + 2 * pairs <= headSize,
            "the turning part lies in the head")
        let (rows, columns) = (matrix.rows, matrix.columns)
        matrix.values.withUnsafeMutableBufferPointer { values in
            guard let start = values.baseAddress else { return }
            for row in 0..<rows {
                for head in stride(from: offset, to: columns, by: headSize) {
                    rotate(start + row * columns + head, row: row)
                }
            }
        }
    }

    private func rotate(_ head: UnsafeMutablePointer<Float>, row: Int) {
        let (step, partner) = pairing == .interleaved ? (2, 1) : (1, pairs)
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                for pair in 0..<pairs {
                    let (cosine, sine) = (cosines[row * pairs + pair], sines[row * pairs + pair])
                    let first = head + pair * step
                    let (a, b) = (first[0], first[partner])
                    first[0] = a * cosine - b * sine
                    first[partner] = b * cosine + a * sine
                }
            }
        }
    }
}
