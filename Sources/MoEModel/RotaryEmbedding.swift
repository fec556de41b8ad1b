import Foundation
import Tensors

/// Turns pairs of elements of queries and keys by an angle that grows with the position.
struct RotaryEmbedding: Sendable {
    let configuration: RotaryConfiguration
    /// Angle per position of pair `i`, in radians: `base^(-2i / dimensions)`. `[dimensions / 2]`
    private let frequencies: [Float]

    init(_ configuration: RotaryConfiguration) {
        precondition(configuration.dimensions % 2 == 0, "rotary dimensions come in pairs")
        self.configuration = configuration
        frequencies = (0..<configuration.dimensions / 2).map { pair in
            let exponent = -Double(2 * pair) / Double(configuration.dimensions)
            return Float(pow(configuration.base, exponent))
        }
    }

    /// Rotates every head of every row in place.
    ///
    /// - Parameters:
    ///   - matrix: `[tokens × (heads · headSize)]`; row `t` is position `firstPosition + t`.
    ///   - headSize: at least `configuration.dimensions`; later elements stay.
    /// - Complexity: O(elements), and one sine and cosine per row and pair.
    func rotate(_ matrix: inout Matrix, headSize: Int, firstPosition: Int) {
        let half = frequencies.count
        let (step, partner) = configuration.pairing == .interleaved ? (2, 1) : (1, half)
        for row in 0..<matrix.rows {
            // The angle is rounded to fp32 before its sine, as the reference implementations do.
            let angles = frequencies.map { Float(firstPosition + row) * $0 }
            let turns = angles.map { (cosine: cos($0), sine: sin($0)) }
            let start = row * matrix.columns
            for head in stride(from: start, to: start + matrix.columns, by: headSize) {
                for (pair, turn) in turns.enumerated() {
                    let first = head + pair * step
                    let a = matrix.values[first]
                    let b = matrix.values[first + partner]
                    matrix.values[first] = a * turn.cosine - b * turn.sine
                    matrix.values[first + partner] = b * turn.cosine + a * turn.sine
                }
            }
        }
    }
}
