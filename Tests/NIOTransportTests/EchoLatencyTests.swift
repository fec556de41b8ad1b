import Foundation
import Testing
import Wire

@testable import NIOTransport

/// Reports the round trip of one layer's frame; wall time is printed, never asserted.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct EchoLatencyTests {
    @Test(arguments: Depth.allCases)
    func echoOfEightKibibytes(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let times = await Self.measure(pair, bytes: 8192, rounds: 5000)
            #expect(times.count == 5000)
            let sorted = times.sorted()
            let microseconds = [0.5, 0.99].map { sorted[Int(Double(sorted.count) * $0)] / 1000 }
            print(
                "echo of 8 KiB, \(depth), both ends blocked threads:"
                    + " median \(microseconds[0]) µs, 99th percentile \(microseconds[1]) µs")
        }
    }

    /// Both ends wait on a semaphore, as the inference thread and a worker do.
    private static func measure(_ pair: LinkPair, bytes: Int, rounds: Int) async -> [Double] {
        let (atBase, atDevice) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        pair.atBase.react(skipsEvents: true) { _ in atBase.signal() }
        pair.atDevice.react(skipsEvents: true) { _ in atDevice.signal() }
        let frame = Frame(kind: .expertBatch, payload: [UInt8](repeating: 1, count: bytes))
        let (device, base) = (pair.device, pair.base)
        Thread.detachNewThread {
            for _ in 0..<rounds {
                atDevice.wait()
                device.send(frame)
            }
        }
        let times = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: (0..<rounds).map { _ in
                        let start = DispatchTime.now().uptimeNanoseconds
                        base.send(frame)
                        atBase.wait()
                        return Double(DispatchTime.now().uptimeNanoseconds - start)
                    })
            }
        }
        pair.atBase.forget()
        pair.atDevice.forget()
        return times
    }
}
