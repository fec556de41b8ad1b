import SystemModel
import Tensors
import Testing

@testable import Wire

/// Pinned: every message survives its frame unchanged, and the bytes of those on the hot path.
struct RoundTripTests {
    @Test
    func everyMessageIsWrittenAgainAsItWasRead() throws {
        let samples = try Examples.samples()
        for sample in samples {
            #expect(try sample.decode(sample.frame) == sample.frame, "\(sample.frame.kind)")
        }
        let kinds = Set(samples.map(\.frame.kind))
        #expect(kinds == Set(Frame.Kind.allCases))
    }

    @Test
    func controlMessages() throws {
        #expect(try Hello(frame: Examples.controlHello.frame()) == Examples.controlHello)
        #expect(try Hello(frame: Examples.bulkHello.frame()) == Examples.bulkHello)
        #expect(try Welcome(frame: Examples.welcome.frame()) == Examples.welcome)
        #expect(try Refusal(frame: Examples.refusal.frame()) == Examples.refusal)
        #expect(try Assignment(frame: Examples.assignment.frame()) == Examples.assignment)
        #expect(try AssignmentProgress(frame: Examples.progress.frame()) == Examples.progress)
        #expect(try Fetch(frame: Examples.fetch.frame()) == Examples.fetch)
        #expect(try Chunk(frame: Examples.chunk.frame()) == Examples.chunk)
        #expect(try Failure(frame: Examples.failure.frame()) == Examples.failure)
        #expect(try Goodbye(frame: Examples.goodbye.frame()) == Examples.goodbye)
        #expect(try Offer(frame: Examples.offer.frame()) == Examples.offer)
        #expect(try Heartbeat(frame: Heartbeat(ping: 5).reply.frame()) == Heartbeat(ping: 5).reply)
    }

    @Test(arguments: ActivationCodec.allCases)
    func batchesAndResults(_ codec: ActivationCodec) throws {
        let (batch, result) = (Examples.batch(codec), Examples.result(codec))
        #expect(try ExpertBatch(frame: batch.frame(), model: Examples.model) == batch)
        #expect(try ExpertResult(frame: result.frame(), model: Examples.model) == result)
    }

    @Test
    func theBytesOfABatch() throws {
        let batch = ExpertBatch(
            requestID: 0x0102_0304_0506_0708, layer: 9, codec: .fp32,
            inputs: Matrix(rows: 1, columns: 2, values: [1, -2]),
            pairs: [ExpertPair(row: 0, expert: 258, weight: 0.5)])
        #expect(
            try batch.frame().payload == [
                8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0,
                0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0x3F,
            ])
    }

    @Test
    func theBytesOfAHelloBegin() throws {
        let bytes = try Examples.bulkHello.frame().serialized()
        #expect(Array(bytes[4..<12]) == [1, 77, 82, 84, 76, 1, 0, 2])
        #expect(bytes.count == Int(bytes[0]) + 4)
    }

    @Test
    func tokensAndDigestsAsText() throws {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<100 {
            let token = SessionToken.random(using: &generator)
            #expect(token.hexadecimal.count == 32)
            #expect(SessionToken(hexadecimal: token.hexadecimal) == token)
        }
        #expect(BlobDigest(hexadecimal: Examples.digest.description) == Examples.digest)
        for text in ["", "0", String(repeating: "G", count: 64), String(repeating: "A", count: 64)]
        {
            #expect(BlobDigest(hexadecimal: text) == nil)
            #expect(SessionToken(hexadecimal: text) == nil)
        }
    }

    /// A node's role travels; one that does not say is a device, and an unknown one is refused.
    @Test func aHelloSaysTheRole() throws {
        var node = Examples.device
        node.role = .cloud
        let frame = try Hello(.control(node)).frame()
        #expect(try Hello(frame: frame).purpose == .control(node))
        let text = String(decoding: frame.payload.dropFirst(7), as: UTF8.self)
        #expect(text.contains("\"role\":\"cloud\""))
        let plain = try Hello(frame: Examples.controlHello.frame())
        #expect(plain.purpose == .control(Examples.device) && !Examples.device.isCloud)
        let other = text.replacing("\"cloud\"", with: "\"moon\"")
        let error = #expect(throws: WireError.self) {
            try Hello(
                frame: Frame(
                    kind: .hello, payload: Array(frame.payload.prefix(7)) + Array(other.utf8)))
        }
        #expect(error?.message.contains("role") ?? false)
    }
}
