import SystemModel
import Tensors

@testable import Wire

/// One small valid message of every kind, from which tests start.
enum Examples {
    static let device = DeviceDescription(
        name: "attic ☂", memoryBytes: 8 << 30, cores: 4, instructionSet: "avx512-vnni",
        memoryGigabytesPerSecond: 31.5, gigaflopsPerSecond: 610, diskBytes: 3 << 40)
    static let model = ModelFacts(
        hiddenSize: 12, layerCount: 4, expertCount: 8, activationFunction: "silu")
    static let digest = BlobDigest(bytes: (0..<32).map { UInt8($0 * 7) })

    static var token: SessionToken {
        var generator = SeededGenerator(seed: 5)
        return .random(using: &generator)
    }

    static var controlHello: Hello { Hello(.control(device)) }
    static var bulkHello: Hello { Hello(.bulk(device: DeviceID(3), token: token)) }
    static var welcome: Welcome {
        Welcome(
            deviceID: DeviceID(3), sessionToken: token, activationCodec: .fp16,
            heartbeatMilliseconds: 1000)
    }
    static let refusal = Refusal(.busy, "come back later")

    static func expert(_ layer: Int, _ expert: Int) -> ExpertManifest {
        ExpertManifest(
            id: ExpertID(layer: layer, expert: expert), sha256: digest, byteCount: 300,
            tensors: ["gate", "up", "down"].enumerated().map { index, name in
                TensorManifest(
                    name: name, format: "q8_0", rows: 5, columns: 12, byteOffset: index * 100,
                    byteCount: 100)
            })
    }

    static var assignment: Assignment {
        Assignment(
            model: model, experts: [expert(0, 7), expert(3, 0)],
            kept: [expert(2, 1), expert(0, 1)])
    }
    static let progress = AssignmentProgress(
        ready: [ExpertID(layer: 0, expert: 7)], bytesFetched: 200, bytesFromCache: 100,
        kept: [ExpertID(layer: 2, expert: 1)], bytesKept: 300)
    static let fetch = Fetch(digest: digest, offset: 1 << 20, byteCount: 1 << 20)
    static let chunk = Chunk(digest: digest, offset: 77, chunkDigest: digest, bytes: [1, 2, 3])
    static let failure = Failure(requestID: .max, message: "layer 3 expert 1 is not here")
    static let goodbye = Goodbye(reason: "stopped by its user")
    static let offer = Offer(memoryBytes: 3 << 30)

    static func batch(_ codec: ActivationCodec) -> ExpertBatch {
        ExpertBatch(
            requestID: .max - 1, layer: 3, codec: codec, inputs: integers(rows: 3, columns: 12),
            pairs: [
                ExpertPair(row: 0, expert: 0, weight: 0.5),
                ExpertPair(row: 0, expert: 7, weight: 0.5),
                ExpertPair(row: 2, expert: 1, weight: -1),
            ])
    }

    static func result(_ codec: ActivationCodec) -> ExpertResult {
        ExpertResult(
            requestID: .max - 1, codec: codec, computeNanoseconds: 123_456,
            outputs: integers(rows: 3, columns: 12))
    }

    /// Integers with 127 in every row: exact in every codec.
    private static func integers(rows: Int, columns: Int) -> Matrix {
        let values = (0..<(rows * columns)).map { Float($0 % columns == 0 ? 127 : $0 - 17) }
        return Matrix(rows: rows, columns: columns, values: values)
    }

    /// A frame, and a decoder that reads it and writes it again.
    struct Sample: Sendable {
        let frame: Frame
        let decode: @Sendable (Frame) throws -> Frame

        init(_ frame: Frame, _ decode: @escaping @Sendable (Frame) throws -> Frame) {
            self.frame = frame
            self.decode = decode
        }
    }

    /// Samples of every kind; `sampleCount` of them.
    static func samples() throws -> [Sample] {
        var samples = [
            Sample(try controlHello.frame()) { try Hello(frame: $0).frame() },
            Sample(try bulkHello.frame()) { try Hello(frame: $0).frame() },
            Sample(try welcome.frame()) { try Welcome(frame: $0).frame() },
            Sample(try refusal.frame()) { try Refusal(frame: $0).frame() },
            Sample(try assignment.frame()) { try Assignment(frame: $0).frame() },
            Sample(try progress.frame()) { try AssignmentProgress(frame: $0).frame() },
            Sample(try fetch.frame()) { try Fetch(frame: $0).frame() },
            Sample(try chunk.frame()) { try Chunk(frame: $0).frame() },
            Sample(Heartbeat(ping: 9).frame()) { try Heartbeat(frame: $0).frame() },
            Sample(Heartbeat(ping: 9).reply.frame()) { try Heartbeat(frame: $0).frame() },
            Sample(try failure.frame()) { try Failure(frame: $0).frame() },
            Sample(try goodbye.frame()) { try Goodbye(frame: $0).frame() },
            Sample(try offer.frame()) { try Offer(frame: $0).frame() },
        ]
        for codec in ActivationCodec.allCases {
            let (batch, result) = (try batch(codec).frame(), try result(codec).frame())
            samples += [
                Sample(batch) { try ExpertBatch(frame: $0, model: model).frame() },
                Sample(batch) { try ExpertBatch(frame: $0).frame() },
                Sample(result) { try ExpertResult(frame: $0, model: model).frame() },
            ]
        }
        return samples
    }

    static let sampleCount = 22
}
