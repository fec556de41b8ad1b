import Foundation
import Testing
import Wire

@testable import NIOTransport

/// What is written past the channel.
struct DirectWriterTests {
    /// Two ends of a socket of which the first does not block, closed afterwards.
    private func withSockets(_ body: (CInt, CInt) throws -> Void) throws {
        var ends: [CInt] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        try #require(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        try body(ends[0], ends[1])
    }

    private func read(_ count: Int, from socket: CInt) throws -> [UInt8] {
        let file = FileHandle(fileDescriptor: socket, closeOnDealloc: false)
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += try #require(try file.read(upToCount: count - bytes.count))
        }
        return bytes
    }

    @Test func aFrameIsHeaderAndPayload() throws {
        try withSockets { near, far in
            guard let writer = DirectWriter(of: near, below: .max) else {
                Issue.record("no descriptor is free")
                return
            }
            for payload in [[], [UInt8](0..<200)] {
                let frame = Frame(kind: .ping, payload: payload)
                let taken = writer.write(frame)
                #expect(taken == frame.byteCount)
                let bytes = try read(frame.byteCount, from: far)
                #expect(bytes == frame.serialized())
            }
        }
    }

    /// It says how far it came, and never waits.
    @Test func whatIsNotReadIsNotTaken() throws {
        try withSockets { near, far in
            guard let writer = DirectWriter(of: near, below: .max) else {
                Issue.record("no descriptor is free")
                return
            }
            let frame = Frame(kind: .chunk, payload: (0..<4 << 20).map { UInt8($0 % 251) })
            let taken = writer.write(frame)
            let takenThen = writer.write(frame)
            #expect(taken > Frame.headerBytes && taken < frame.byteCount)
            #expect(takenThen == 0)
            let isPrefix = try read(taken, from: far).elementsEqual(
                frame.serialized().prefix(taken))
            #expect(isPrefix)
        }
    }

    /// Where many descriptors are open, the rest is left to others.
    @Test func descriptorsAreLeftToOthers() throws {
        try withSockets { near, _ in
            // Standard input and output have the lower numbers.
            let isThere = DirectWriter(of: near, below: 2) != nil
            #expect(!isThere)
        }
    }
}
