import Foundation
import Synchronization
import Testing
import Wire

@testable import NIOTransport

/// Pinned: what `DeviceLink` promises, for both ways that bytes travel.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LinkContractTests {
    @Test(arguments: Depth.allCases)
    func framesArriveInOrderAndUnchanged(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let frames = (0..<500).map { index in
                Frame(
                    kind: Frame.Kind.allCases[index % Frame.Kind.allCases.count],
                    payload: (0..<(index * index % 5000)).map {
                        UInt8(truncatingIfNeeded: $0 ^ index)
                    })
            }
            for frame in frames {
                pair.device.send(frame)
                pair.base.send(frame)
            }
            for frame in frames {
                try await pair.atBase.expect(frame)
                try await pair.atDevice.expect(frame)
            }
            #expect(pair.atBase.overlaps == 0 && pair.atDevice.overlaps == 0)
        }
    }

    @Test(arguments: Depth.allCases)
    func theLargestFrameTravels(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let frame = Frame(
                kind: .expertBatch, payload: [UInt8](repeating: 7, count: Limits.frameBytes - 1))
            pair.device.send(frame)
            try await pair.atBase.expect(frame)
        }
    }

    /// Small frames go past the channel, unless a large one before them waits in it.
    @Test(arguments: Depth.allCases)
    func smallFramesStayBehindLargeOnesThatTheSystemDoesNotTake(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let gate = DispatchSemaphore(value: 0)
            pair.atBase.react { _ in gate.wait() }
            let frames = (0..<40).map { index in
                Frame(
                    kind: .chunk,
                    payload: [UInt8](
                        repeating: UInt8(index), count: index % 4 == 0 ? 1 << 20 : index))
            }
            for frame in frames { pair.device.send(frame) }
            for _ in frames { gate.signal() }
            for frame in frames { try await pair.atBase.expect(frame) }
            pair.device.send(frames[1])
            gate.signal()
            try await pair.atBase.expect(frames[1])
            pair.atBase.forget()
        }
    }

    @Test(arguments: Depth.allCases)
    func framesOfOneThreadStayInOrderBesideOthers(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let (threads, frames) = (4, 300)
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for index in 0..<frames {
                    pair.device.send(
                        Frame(
                            kind: .ping,
                            payload: [UInt8(thread), UInt8(index / 256), UInt8(index % 256)]))
                }
            }
            var next = [Int](repeating: 0, count: threads)
            for _ in 0..<(threads * frames) {
                let payload = try await pair.atBase.next().payload
                let thread = Int(payload[0])
                #expect(Int(payload[1]) * 256 + Int(payload[2]) == next[thread])
                next[thread] += 1
            }
        }
    }

    @Test(arguments: Depth.allCases)
    func aHandlerMaySend(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let base = pair.base
            pair.atBase.react { event in
                if case .frame(let frame) = event { base.send(frame) }
            }
            for index in 0..<50 {
                let frame = Frame(kind: .ping, payload: [UInt8](repeating: UInt8(index), count: 8))
                pair.device.send(frame)
                try await pair.atDevice.expect(frame)
            }
            #expect(pair.atBase.overlaps == 0 && pair.atDevice.overlaps == 0)
            pair.atBase.forget()
        }
    }

    @Test(arguments: Depth.allCases)
    func closingDeliversWhatWasSentThenClosesBothOnce(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let frame = Frame(kind: .goodbye, payload: [UInt8](repeating: 1, count: 1 << 20))
            for _ in 0..<5 {
                pair.device.send(frame)
            }
            pair.device.close()
            pair.device.close()
            pair.device.send(frame)
            for _ in 0..<5 {
                try await pair.atBase.expect(frame)
            }
            guard case .closed = try await pair.atBase.nextEvent() else {
                Issue.record("the base station's end must see the closing after the frames")
                return
            }
            #expect(try await pair.atDevice.closing() == "closed by this side")
            pair.base.send(frame)
            pair.base.close()
            try await Task.sleep(for: .milliseconds(50))
            for recorder in [pair.atBase, pair.atDevice] {
                let closings = recorder.events.filter {
                    if case .closed = $0 { true } else { false }
                }
                #expect(closings.count == 1)
                #expect(recorder.events.last == closings.first)
            }
        }
    }

    @Test(arguments: Depth.allCases)
    func aHandlerMayClose(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let base = pair.base
            pair.atBase.react { event in
                if case .frame = event { base.close() }
            }
            pair.device.send(Frame(kind: .ping, payload: []))
            _ = try await pair.atBase.closing()
            _ = try await pair.atDevice.closing()
            #expect(pair.atBase.overlaps == 0)
            pair.atBase.forget()
        }
    }

    @Test(arguments: Depth.allCases)
    func aPeerThatDoesNotReadIsClosed(_ depth: Depth) async throws {
        try await LinkPair.with(depth) { pair in
            let gate = DispatchSemaphore(value: 0)
            pair.atBase.react { event in
                if case .frame = event { gate.wait() }
            }
            let frame = Frame(
                kind: .expertBatch, payload: [UInt8](repeating: 0, count: Limits.frameBytes / 2))
            for _ in 0..<6 {
                pair.device.send(frame)
            }
            let reason = try await pair.atDevice.closing()
            for _ in 0..<6 {
                gate.signal()
            }
            #expect(reason.contains("\(Limits.outboundBytes) bytes"))
            _ = try await pair.atBase.closing()
            pair.atBase.forget()
        }
    }

    @Test(arguments: Depth.allCases)
    func aClosedLinkIsReleased(_ depth: Depth) async throws {
        weak var device: AnyObject?
        weak var base: AnyObject?
        try await LinkPair.with(depth) { pair in
            (device, base) = (pair.device, pair.base)
            pair.device.close()
            _ = try await pair.atBase.closing()
            _ = try await pair.atDevice.closing()
            pair.atBase.forget()
        }
        for _ in 0..<1000 where device != nil || base != nil {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(device == nil && base == nil)
    }
}
