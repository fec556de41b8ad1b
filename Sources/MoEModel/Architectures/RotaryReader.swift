import Foundation
import ModelFiles

/// Reads how positions turn: GGUF's `rope.*`, or config.json's `rope_parameters`, flat or one for
/// each kind of layer, or its older `rope_theta` and `rope_scaling`.
struct RotaryReader {
    let settings: ModelSettings
    let archive: TensorArchive
    let contextLength: Int
    /// The base where the file gives none.
    var defaultBase = 10_000.0
    /// The share of a head that turns where the file does not say.
    var defaultShare = 1.0
    /// Whether YaRN rounds the ends of its blend where the file does not say.
    var truncatesByDefault = true
    /// The kind of layer whose settings are read, where the file gives one set for each kind.
    var layerType: String?

    /// - Parameters:
    ///   - headSize: elements of a head that may turn.
    ///   - pairing: which elements turn together in this file.
    /// - Throws: `malformed` or `unsupported`, naming the setting.
    func configuration(
        headSize: Int, pairing: RotaryConfiguration.Pairing
    ) throws(ModelFileError) -> RotaryConfiguration {
        var rotary = RotaryConfiguration(
            dimensions: try dimensions(headSize: headSize), base: try base(), pairing: pairing)
        switch try type() {
        case "default", "none": break
        case "linear": rotary.scaling = .linear(factor: try positive(.scalingFactor))
        case "dynamic":
            rotary.scaling = .dynamic(
                factor: try positive(.scalingFactor), contextLength: contextLength)
        case "llama3": rotary.scaling = try llama3()
        case "yarn":
            let yarn = try yarn()
            rotary.scaling = .yarn(yarn)
            rotary.magnitude = try magnitude(factor: yarn.factor)
        case let other:
            throw source.error(
                .unsupported, .scalingType,
                "\"\(other)\" is not supported; known: default, linear, dynamic, llama3, yarn")
        }
        if settings.isGGUF, archive["rope_freqs.weight"] != nil {
            guard rotary.scaling == .none else {
                throw source.error(
                    .unsupported, .scalingType, "stands beside the tensor rope_freqs.weight")
            }
            rotary.scaling = .divisors(
                try archive.vector("rope_freqs.weight", count: rotary.dimensions / 2))
        }
        return rotary
    }

    /// The factor of latent attention's scores that goes with YaRN: the square of a magnitude that
    /// grows with the logarithm of the factor (DeepSeek's `mscale_all_dim`).
    func latentScale() throws(ModelFileError) -> Double {
        guard try type() != "default" else { return 1 }
        let all: Double
        if let logarithm = try source.number(.magnitudeLogarithm) {
            all = logarithm * 10
        } else {
            all = try source.number(.magnitudeScaleAll) ?? 0
        }
        guard all != 0 else { return 1 }
        let magnitude = Self.magnitude(factor: try positive(.scalingFactor), scale: all)
        return magnitude * magnitude
    }

    /// Whether full and sliding layers have settings of their own.
    var differsByLayerType: Bool {
        Self.layerTypes.contains { section?.section($0) != nil }
    }

    /// The section of config.json with the rotary settings; older files call it rope_scaling.
    private var section: ModelSettings? {
        settings.section("rope_scaling") ?? settings.section("rope_parameters")
    }

    /// Where the rotary settings stand: in config.json a section, if it has one.
    private var source: ModelSettings {
        guard let section else { return settings }
        return section.section(layerType ?? Self.layerTypes[0]) ?? section
    }

    /// Full layers first: a model without `layer_types` has only those.
    static let layerTypes = ["full_attention", "sliding_attention"]

    private func type() throws(ModelFileError) -> String {
        guard settings.isGGUF || section != nil else { return "default" }
        return try source.string(.scalingType) ?? "default"
    }

    private func base() throws(ModelFileError) -> Double {
        let base = try inner(.rotaryBase) ?? defaultBase
        guard base > 1 else { throw source.error(.malformed, .rotaryBase, "must be above 1") }
        return base
    }

    private func dimensions(headSize: Int) throws(ModelFileError) -> Int {
        let share = try inner(.rotaryShare) ?? defaultShare
        guard share > 0, share <= 1 else {
            throw source.error(.malformed, .rotaryShare, "must be above 0 and at most 1")
        }
        let given = try settings.integer(.rotaryDimensions, in: 1...ModelLimits.width)
        let dimensions = given ?? Int(Double(headSize) * share)
        guard dimensions % 2 == 0, dimensions >= 2, dimensions <= headSize else {
            throw settings.error(
                .malformed, given == nil ? .headSize : .rotaryDimensions,
                "\(dimensions) turning elements do not fit heads of \(headSize) in pairs")
        }
        return dimensions
    }

    private func llama3() throws(ModelFileError) -> RotaryConfiguration.Scaling {
        let (low, high) = (try positive(.lowFactor), try positive(.highFactor))
        guard low < high else {
            throw source.error(.malformed, .lowFactor, "must be below high_freq_factor")
        }
        return .llama3(
            factor: try positive(.scalingFactor), low: low, high: high,
            contextLength: try originalContext())
    }

    private func yarn() throws(ModelFileError) -> RotaryConfiguration.YaRN {
        let original = try originalContext()
        let factor = try source.number(.scalingFactor) ?? Double(contextLength) / Double(original)
        let fast = try source.number(.fastTurns) ?? 32
        let slow = try source.number(.slowTurns) ?? 1
        guard factor > 0, fast > 0, slow > 0 else {
            throw source.error(.malformed, .scalingFactor, "and YaRN's betas must be above 0")
        }
        return RotaryConfiguration.YaRN(
            factor: factor, fast: fast, slow: slow, contextLength: original,
            truncates: try source.boolean(.truncates) ?? truncatesByDefault)
    }

    private func originalContext() throws(ModelFileError) -> Int {
        let range = 1...ModelLimits.context
        let outer = settings.isGGUF ? nil : try settings.integer(.originalContext, in: range)
        if let outer { return outer }
        return try source.integer(.originalContext, in: range) ?? contextLength
    }

    /// YaRN's factor of queries and keys.
    private func magnitude(factor: Double) throws(ModelFileError) -> Double {
        let given = try source.number(.attentionFactor)
        if settings.isGGUF {
            // A file with this key has equal magnitudes for scores and rotary, which cancel.
            guard try source.number(.magnitudeLogarithm) == nil else { return given ?? 1 }
            return (given ?? 1) * Self.magnitude(factor: factor, scale: 1)
        }
        if let given { return given }
        let scale = try source.number(.magnitudeScale) ?? 0
        let all = try source.number(.magnitudeScaleAll) ?? 0
        guard scale != 0, all != 0 else { return Self.magnitude(factor: factor, scale: 1) }
        return Self.magnitude(factor: factor, scale: scale)
            / Self.magnitude(factor: factor, scale: all)
    }

    /// `0.1 · scale · ln(factor) + 1` (Peng et al. 2023, equation 22).
    private static func magnitude(factor: Double, scale: Double) -> Double {
        factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
    }

    /// A number from the section, else from beside it.
    private func inner(_ name: SettingName) throws(ModelFileError) -> Double? {
        if let number = try source.number(name) { return number }
        return try settings.number(name)
    }

    private func positive(_ name: SettingName) throws(ModelFileError) -> Double {
        let number = try source.require(name, try source.number(name))
        guard number > 0 else { throw source.error(.malformed, name, "must be above 0") }
        return number
    }
}
