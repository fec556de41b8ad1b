import SystemModel
import Testing

@testable import Wire

/// Pinned: whatever bytes arrive, a decoder gives a valid message or a `WireError`; it never
/// crashes, and what it accepts it can write again (or says why not).
struct MutationTests {
    static let mutations = 20_000

    @Test(arguments: 0..<Examples.sampleCount)
    func mutatedMessagesAreRefusedOrValid(_ index: Int) throws {
        let samples = try Examples.samples()
        try #require(samples.count == Examples.sampleCount)
        let (original, decode) = (samples[index].frame, samples[index].decode)
        var generator = SeededGenerator(seed: UInt64(index))
        var (valid, refused) = (0, 0)
        for mutation in 0..<Self.mutations {
            let payload = Self.mutate(original.payload, using: &generator)
            do {
                _ = try decode(Frame(kind: original.kind, payload: payload))
                valid += 1
            } catch let error as WireError {
                refused += 1
                #expect(
                    !error.message.contains("\n"), "seed \(index), mutation \(mutation): \(error)")
            } catch {
                Issue.record("seed \(index), mutation \(mutation): \(error) is no WireError")
            }
        }
        #expect(valid + refused == Self.mutations && refused > 0, "seed \(index)")
    }

    @Test(arguments: 0..<Examples.sampleCount)
    func everyTruncationIsRefused(_ index: Int) throws {
        let sample = try Examples.samples()[index]
        let original = sample.frame
        for count in 0..<original.payload.count {
            let frame = Frame(kind: original.kind, payload: Array(original.payload[..<count]))
            #expect(throws: WireError.self, "\(original.kind) cut to \(count)") {
                try sample.decode(frame)
            }
        }
    }

    @Test
    func aFrameOfAnotherKindIsRefused() throws {
        for sample in try Examples.samples() {
            let own: Set<Frame.Kind> =
                sample.frame.kind == .ping || sample.frame.kind == .pong
                ? [.ping, .pong] : [sample.frame.kind]
            for kind in Frame.Kind.allCases where !own.contains(kind) {
                #expect(throws: WireError.self) {
                    try sample.decode(Frame(kind: kind, payload: sample.frame.payload))
                }
            }
        }
    }

    /// One to four edits: a bit, a byte, a number that is an edge somewhere, a cut, a repetition.
    private static func mutate(
        _ original: [UInt8], using generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            guard !bytes.isEmpty else { return bytes }
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 2:
                for offset in index..<min(index + 4, bytes.count) {
                    bytes[offset] = [0, 255, 127][offset % 3]
                }
            case 3: bytes.removeSubrange(index...)
            case 4: bytes.insert(contentsOf: bytes[index..<min(index + 9, bytes.count)], at: index)
            default: bytes[index] = Array("0123456789-.eE\"{}[],:".utf8)[index % 21]
            }
        }
        return bytes
    }
}
