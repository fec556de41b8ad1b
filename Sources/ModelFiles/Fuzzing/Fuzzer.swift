import OrderedJSON
import Tensors

/// Damages the bytes of a file the way accidents and attackers do; what reads the result must say
/// what is wrong, and must neither crash nor hang nor allocate more than its limits.
package enum Fuzzer {
    /// The file formats whose headers can be read from bytes alone.
    package enum Format: String, Sendable, CaseIterable { case gguf, safetensors, json }

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

    /// Reads the header in `bytes` as the format's reader does, and drops it.
    ///
    /// - Throws: what is wrong; that is the expected outcome.
    package static func read(_ bytes: [UInt8], as format: Format) throws(ModelFileError) {
        let file = "fuzzed \(format.rawValue)"
        guard format != .json else {
            _ = try JSONValue(bytes, rules: JSONLimits.file, file: file)
            return
        }
        try WeightBytes(bytes).withUnsafeBytes { (bytes) throws(ModelFileError) in
            if format == .gguf {
                _ = try GGUFHeader(file: file, bytes: bytes)
            } else {
                _ = try SafeTensorsHeader(file: file, bytes: bytes)
            }
        }
    }

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
