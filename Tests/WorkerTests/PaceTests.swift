import Foundation
import MoEModel
import Synchronization
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

@testable import Worker

/// A device that emulates a slower one waits for the rest of its time, and answers the same.
struct PaceTests {
    @Test func itWaitsForWhatIsLeft() throws {
        let facts = ModelFacts(
            hiddenSize: 2, layerCount: 1, expertCount: 2, activationFunction: "silu")
        let batch = ExpertBatch(
            requestID: 7, layer: 0, codec: .fp32,
            inputs: Matrix(rows: 2, columns: 2, values: [1, 2, 3, 4]),
            pairs: [
                ExpertPair(row: 0, expert: 1, weight: 1), ExpertPair(row: 1, expert: 1, weight: 1),
            ])
        let clock = ManualClock()
        let waited = Mutex<[Duration]>([])
        let paced = ExpertComputer(
            clock: clock,
            pace: .init(pairSeconds: 0.25) { time in
                waited.withLock { $0.append(time) }
                clock.advance(by: time)
            }, turns: ComputeTurns(clock: clock))
        let plain = ExpertComputer(clock: clock, turns: ComputeTurns(clock: clock))
        for computer in [paced, plain] {
            computer.keep([ExpertID(layer: 0, expert: 1)], of: facts)
            computer.add(ExpertID(layer: 0, expert: 1), Self.expert)
        }
        let slow = try answer(paced, to: batch)
        let fast = try answer(plain, to: batch)
        #expect(slow.outputs.values == fast.outputs.values && slow.outputs.values[0] != 0)
        #expect(slow.computeNanoseconds == 500_000_000 && fast.computeNanoseconds == 0)
        #expect(waited.withLock { $0 } == [.milliseconds(500)])
    }

    private static var expert: ExpertWeights {
        ExpertWeights(gate: matrix(3, 2), up: matrix(3, 2), down: matrix(2, 3))
    }

    private static func matrix(_ rows: Int, _ columns: Int) -> QuantizedMatrix {
        let bytes = (0..<rows * columns).flatMap { index in
            let bits = Float(index + 1).bitPattern
            return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
        }
        return QuantizedMatrix(
            rows: rows, columns: columns, format: .f32, bytes: WeightBytes(bytes))
    }

    private func answer(_ computer: ExpertComputer, to batch: ExpertBatch) throws -> ExpertResult {
        let received = Mutex<Frame?>(nil)
        let link = RecordingLink { frame in received.withLock { $0 = frame } }
        computer.answer(try batch.frame(), on: link)
        return try ExpertResult(frame: #require(received.withLock { $0 }))
    }
}

private final class RecordingLink: DeviceLink {
    let peer = "test"
    private let onSend: @Sendable (Frame) -> Void

    init(_ onSend: @escaping @Sendable (Frame) -> Void) { self.onSend = onSend }

    func send(_ frame: Frame) { onSend(frame) }

    func close() {}
}
