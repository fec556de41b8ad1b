/// Rotary position embedding (Su et al. 2021).
package struct RotaryConfiguration: Sendable, Equatable {
    /// Which two elements of a head turn together.
    package enum Pairing: Sendable, Equatable {
        /// `2i` and `2i + 1`: GGUF's llama family, whose converter permutes the rows, and DeepSeek.
        case interleaved
        /// `i` and `i + dimensions / 2`: what most Hugging Face checkpoints hold.
        case halves
    }

    /// How angles are changed so that a model reads texts longer than it was trained on.
    package enum Scaling: Sendable, Equatable {
        case none
        /// Every angle divided by `factor`.
        case linear(factor: Double)
        /// The base grows once a sequence is longer than `contextLength` (dynamic NTK).
        case dynamic(factor: Double, contextLength: Int)
        /// Slow angles divided by `factor`, fast ones kept, a blend between (Llama 3.1).
        case llama3(factor: Double, low: Double, high: Double, contextLength: Int)
        case yarn(YaRN)
        /// Each pair's angle divided by its own number. `[dimensions / 2]`
        case divisors([Float])
    }

    /// The settings of YaRN (Peng et al. 2023).
    package struct YaRN: Sendable, Equatable {
        package var factor: Double
        /// Pairs that turn more often than this within `contextLength` keep their angle.
        package var fast: Double
        /// Pairs that turn less often are divided by `factor`.
        package var slow: Double
        /// The context before it was extended, in tokens.
        package var contextLength: Int
        /// Whether the blend's ends are rounded to whole pairs.
        package var truncates: Bool
    }

    /// Elements of a head that turn, from the start of the turning part; even.
    package var dimensions: Int
    package var base: Double
    package var pairing: Pairing
    package var scaling = Scaling.none
    /// Factor of the turned elements (YaRN's attention factor).
    package var magnitude: Double = 1
}
