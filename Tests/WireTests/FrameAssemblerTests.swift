import SystemModel
import Testing

@testable import Wire

/// Pinned: frames come out the same however the stream is cut, and a bad header is refused before
/// anything is held for it.
struct FrameAssemblerTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func framesDoNotDependOnTheCuts(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let frames = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
            let count = Int.random(in: 0...300, using: &generator)
            return Frame(
                kind: Frame.Kind.allCases.randomElement(using: &generator) ?? .ping,
                payload: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        let stream = frames.flatMap { $0.serialized() }
        var assembler = FrameAssembler(byteLimit: 301)
        var received: [Frame] = []
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 1...64, using: &generator))
            received += try Self.feed(Array(stream[start..<end]), to: &assembler)
            start = end
        }
        #expect(received == frames, "seed \(seed)")
    }

    @Test(
        arguments: [
            ([0, 0, 0, 0, 1], "length 0"), ([255, 255, 255, 255, 1], "4294967295"),
            ([46, 1, 0, 0, 1], "302"), ([1, 0, 0, 0, 0], "kind 0"), ([1, 0, 0, 0, 15], "kind 15"),
        ] as [([UInt8], String)])
    func badHeaders(header: [UInt8], expected: String) {
        var assembler = FrameAssembler(byteLimit: 301)
        let error = #expect(throws: WireError.self) { try Self.feed(header, to: &assembler) }
        #expect(error?.message.contains(expected) == true)
    }

    @Test
    func randomStreamsAreRefusedOrRead() throws {
        for seed in 0..<2000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var assembler = FrameAssembler(byteLimit: 1 << 16)
            let bytes = (0..<1000).map { _ in UInt8.random(in: 0...2, using: &generator) }
            do {
                let frames = try Self.feed(bytes, to: &assembler)
                #expect(frames.reduce(0) { $0 + $1.byteCount } <= bytes.count, "seed \(seed)")
            } catch {
                #expect(error is WireError, "seed \(seed)")
            }
        }
    }

    private static func feed(
        _ bytes: [UInt8], to assembler: inout FrameAssembler
    ) throws -> [Frame] {
        var frames: [Frame] = []
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let step = try assembler.consume(rest)
                frames += step.frame.map { [$0] } ?? []
                rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
            }
        }
        return frames
    }
}
