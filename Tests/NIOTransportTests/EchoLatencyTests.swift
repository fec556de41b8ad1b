import Foundation
import Synchronization
import Testing
import Wire

@testable import NIOTransport

/// Reports the round trip of one layer's frame; wall time is printed, never asserted.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct EchoLatencyTests {
    @Test(arguments: Depth.allCases, [8 << 10, 1 << 20])
    func echo(_ depth: Depth, bytes: Int) async throws {
        let rounds = bytes > 1 << 16 ? 300 : 5000
        for isAnsweredInHandler in [false, true] {
            try await LinkPair.with(depth) { pair in
                if isAnsweredInHandler {
                    let device = pair.device
                    pair.atDevice.react(skipsEvents: true) { event in
                        if case .frame(let frame) = event { device.send(frame) }
                    }
                } else {
                    Self.answerOnThread(pair, rounds: rounds + 1)
                }
                let times = await Self.measure(pair, bytes: bytes, rounds: rounds).sorted()
                #expect(times.count == rounds)
                print(
                    "echo of \(bytes >> 10) KiB, \(depth), device answers"
                        + (isAnsweredInHandler ? " in its handler" : " on a blocked thread")
                        + ": median \(times[rounds / 2] / 1000) µs,"
                        + " 99th percentile \(times[rounds * 99 / 100] / 1000) µs")
                pair.atBase.forget()
                pair.atDevice.forget()
            }
        }
    }

    /// The device's end waits on a semaphore, as a worker's thread does.
    private static func answerOnThread(_ pair: LinkPair, rounds: Int) {
        let device = pair.device
        let inbox = FrameInbox()
        pair.atDevice.react(skipsEvents: true) { inbox.put($0) }
        Thread.detachNewThread {
            for _ in 0..<rounds {
                device.send(inbox.take())
            }
        }
    }

    /// The base station's end waits on a semaphore, as the inference thread does.
    private static func measure(_ pair: LinkPair, bytes: Int, rounds: Int) async -> [Double] {
        let inbox = FrameInbox()
        pair.atBase.react(skipsEvents: true) { inbox.put($0) }
        let frame = Frame(kind: .expertBatch, payload: [UInt8](repeating: 1, count: bytes))
        let base = pair.base
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let times = (0...rounds).map { _ in
                    let start = DispatchTime.now().uptimeNanoseconds
                    base.send(frame)
                    _ = inbox.take()
                    return Double(DispatchTime.now().uptimeNanoseconds - start)
                }
                continuation.resume(returning: Array(times.dropFirst()))
            }
        }
    }
}

/// Hands frames from a link handler to a blocked thread.
private final class FrameInbox: Sendable {
    private let frames = Mutex<[Frame]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func put(_ event: LinkEvent) {
        guard case .frame(let frame) = event else { return }
        frames.withLock { $0.append(frame) }
        arrived.signal()
    }

    func take() -> Frame {
        arrived.wait()
        return frames.withLock { $0.removeFirst() }
    }
}
