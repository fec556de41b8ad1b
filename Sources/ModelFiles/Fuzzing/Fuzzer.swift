import OrderedJSON
import Tensors
package import Tokenizers

/// Damages the bytes of a file the way accidents and attackers do; what reads the result must say
/// what is wrong, and must neither crash nor hang nor allocate more than its limits.
package enum Fuzzer {
    /// The file formats that can be read from bytes alone.
    package enum Format: String, Sendable, CaseIterable { case gguf, safetensors, json, tokenizer }

    /// Numbers at which arithmetic goes wrong.
    private static let edges: [UInt64] = [
        0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
        0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ]

    /// A damaged copy of `bytes`: one to four of flipped bits, edge numbers, cuts, repeats.
    ///
    /// - Parameters:
    ///   - range: where to damage; a mutation that moves bytes moves all behind it.
    ///   - generator: all randomness, so that a seed replays a failure.
    package static func mutate(
        _ bytes: [UInt8], in range: Range<Int>, using generator: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let end = min(range.upperBound, bytes.count)
            guard range.lowerBound < end else { break }
            let place = Int.random(in: range.lowerBound..<end, using: &generator)
            damage(&bytes, at: place, using: &generator)
        }
        return bytes
    }

    /// Reads `bytes` as the format's reader does, and drops the result: of a model file the
    /// header, of a tokenizer.json the tokenizer, which is also used.
    ///
    /// - Throws: `ModelFileError` or `TokenizerError`; that is the expected outcome.
    package static func read(_ bytes: [UInt8], as format: Format) throws {
        let file = "fuzzed \(format.rawValue)"
        switch format {
        case .gguf: _ = try GGUFFile(bytes: WeightBytes(bytes), file: file)
        case .safetensors: _ = try SafeTensorsFile(bytes: WeightBytes(bytes), file: file)
        case .json: _ = try JSONValue(bytes, rules: JSONLimits.file, file: file)
        case .tokenizer: use(try Tokenizer(tokenizerJSON: bytes, file: file))
        }
    }

    /// Takes a tokenizer through a text of several scripts and through its first tokens.
    package static func use(_ tokenizer: Tokenizer) {
        let ids = tokenizer.encode(sample)
        _ = tokenizer.decode(ids, skippingSpecialTokens: false)
        let first = Array(0..<min(tokenizer.vocabularyCount, 300))
        _ = tokenizer.decode(first, skippingSpecialTokens: true)
    }

    private static let sample =
        "It's 1,234 words:\n\n  don't \u{E9}\u{65}\u{301} \u{6F22}\u{5B57} \u{1F600}\t"
        + "<|im_end|></s>"

    private static func damage(
        _ bytes: inout [UInt8], at place: Int, using generator: inout some RandomNumberGenerator
    ) {
        let run = min(Int.random(in: 1...16, using: &generator), bytes.count - place)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 2: write(edges.randomElement(using: &generator) ?? 0, to: &bytes, at: place)
        case 3: bytes.removeSubrange(place..<place + run)
        case 4: bytes.insert(contentsOf: bytes[place..<place + run], at: place)
        default: bytes.removeSubrange(place...)
        }
    }

    /// Writes a little-endian number over up to eight bytes.
    private static func write(_ number: UInt64, to bytes: inout [UInt8], at place: Int) {
        for index in 0..<min(8, bytes.count - place) {
            bytes[place + index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))
        }
    }
}
