import Foundation
import Tensors

/// Turns pairs of elements of queries and keys by an angle that grows with the position.
struct RotaryEmbedding: Sendable {
    let configuration: RotaryConfiguration
    /// Angle per position of each pair, in radians. `[dimensions / 2]`
    private let frequencies: [Float]

    init(_ configuration: RotaryConfiguration) {
        precondition(configuration.dimensions % 2 == 0, "rotary dimensions come in pairs")
        self.configuration = configuration
        frequencies = Self.frequencies(configuration, positions: 0)
    }

    /// Cosines and sines of consecutive positions: made once a step, used by every layer.
    ///
    /// - Complexity: O(positions × pairs) sines.
    func turns(_ positions: Range<Int>) -> RotaryTurns {
        var frequencies = frequencies
        if case .dynamic(_, let contextLength) = configuration.scaling,
            positions.upperBound > contextLength
        {
            frequencies = Self.frequencies(configuration, positions: positions.upperBound)
        }
        let magnitude = Float(configuration.magnitude)
        var turns = RotaryTurns(pairing: configuration.pairing, pairs: frequencies.count)
        turns.cosines.reserveCapacity(positions.count * frequencies.count)
        turns.sines.reserveCapacity(positions.count * frequencies.count)
        for position in positions {
            for frequency in frequencies {
                // The angle is rounded to fp32 before its sine, as reference implementations do.
                let angle = Float(position) * frequency
                turns.cosines.append(cos(angle) * magnitude)
                turns.sines.append(sin(angle) * magnitude)
            }
        }
        return turns
    }

    /// - Parameter positions: length of the sequence, for scaling that depends on it.
    private static func frequencies(
        _ configuration: RotaryConfiguration, positions: Int
    ) -> [Float] {
        let pairs = configuration.dimensions / 2
        let plain = angles(base: configuration.base, pairs: pairs)
        switch configuration.scaling {
        case .none: return plain.map { Float($0) }
        case .linear(let factor): return plain.map { Float($0 / factor) }
        case .divisors(let divisors): return zip(plain, divisors).map { Float($0) / $1 }
        case .dynamic(let factor, let contextLength):
            let length = Double(max(positions, contextLength)) / Double(contextLength)
            let dimensions = Double(configuration.dimensions)
            let growth = pow(factor * length - (factor - 1), dimensions / (dimensions - 2))
            return angles(base: configuration.base * growth, pairs: pairs).map { Float($0) }
        case .llama3(let factor, let low, let high, let contextLength):
            return plain.map { angle in
                let turns = Double(contextLength) * angle / (2 * .pi)
                let share = min(max((turns - low) / (high - low), 0), 1)
                return Float((1 - share) * angle / factor + share * angle)
            }
        case .yarn(let yarn):
            return yarn.blend(plain, base: configuration.base)
        }
    }

    /// `base^(-2i / dimensions)`
    private static func angles(base: Double, pairs: Int) -> [Double] {
        (0..<pairs).map { pow(base, -Double($0) / Double(pairs)) }
    }
}

extension RotaryConfiguration.YaRN {
    /// Fast pairs keep their angle, slow ones are divided by `factor`, a linear ramp between
    /// (Peng et al. 2023, section 3.2).
    fileprivate func blend(_ angles: [Double], base: Double) -> [Float] {
        let dimensions = Double(2 * angles.count)
        /// The pair, as a real number, that turns `count` times within the context.
        func pair(turning count: Double) -> Double {
            dimensions * log(Double(contextLength) / (count * 2 * .pi)) / (2 * log(base))
        }
        var (start, end) = (pair(turning: fast), pair(turning: slow))
        if truncates { (start, end) = (start.rounded(.down), end.rounded(.up)) }
        start = max(start, 0)
        end = min(end, dimensions - 1)
        // Equal ends would divide by zero.
        if start == end { end += 0.001 }
        return angles.enumerated().map { index, angle in
            let ramp = min(max((Double(index) - start) / (end - start), 0), 1)
            return Float(angle / factor * ramp + angle * (1 - ramp))
        }
    }
}
