import NIOCore
import NIOPosix
import SystemModel
import Testing

@testable import Cell
@testable import Scenarios

/// Real connections through a cell; bytes are compared, times are not.
struct CellServerTests {
    /// Runs `body` with a cell before an echo server.
    func withCell(
        dialer: CellServer.Dialer = .device,
        _ change: (inout Scenario) -> Void = { _ in },
        _ body: (MultiThreadedEventLoopGroup, CellServer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let echo = try await EchoServer(group)
        let scenario = try CellStateTests.scenario(change)
        var options = CellServer.Options(
            ports: scenario.devices.map { _ in 0 },
            targets: scenario.devices.map { _ in .init(host: "127.0.0.1", port: echo.port) })
        options.dialer = dialer
        let cell = try await CellServer.start(scenario, options)
        try await body(group, cell)
        await cell.stop()
        try await echo.close()
        try await group.shutdownGracefully()
    }

    func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    @Test(arguments: CellServer.Dialer.allCases)
    func bytesPassUnchangedBothWays(_ dialer: CellServer.Dialer) async throws {
        try await withCell(dialer: dialer) { group, cell in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for (index, port) in cell.ports.enumerated() {
                    tasks.addTask {
                        let seed = UInt64(index)
                        let bytes = randomBytes(200_000 + 777 * index, seed: seed)
                        let received = try await exchange(group, port, bytes)
                        #expect(received == bytes, "seed \(seed)")
                    }
                }
                try await tasks.waitForAll()
            }
            let state = try await ask(group, cell.controlPort, #"{"command": "state"}"#)
            #expect(state.contains(#""bytesDown":200000"#) && state.contains(#""bytesUp":200000"#))
        }
    }

    /// With delay and jitter the order holds too.
    @Test func jitterKeepsTheOrder() async throws {
        let change: (inout Scenario) -> Void = {
            $0.link.delay = Seconds(0.002)
            $0.link.jitter = Seconds(0.005)
        }
        try await withCell(change) { group, cell in
            let bytes = randomBytes(150_000, seed: 1)
            let received = try await exchange(group, cell.ports[2], bytes)
            #expect(received == bytes, "seed 1")
        }
    }

    @Test func aDeviceThatIsOutIsReset() async throws {
        let change: (inout Scenario) -> Void = {
            $0.link.resets = true
            $0.link.outages = [
                Scenario.Outage(device: "d0", start: .zero, length: Seconds(1_000))
            ]
        }
        try await withCell(change) { group, cell in
            let received = try? await exchange(group, cell.ports[0], [1, 2, 3])
            #expect((received ?? []).isEmpty)
            let other = try await exchange(group, cell.ports[1], [1, 2, 3])
            #expect(other == [1, 2, 3])
        }
    }

    @Test func nobodyBehindTheCellEndsTheConnection() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let scenario = try CellStateTests.scenario()
        // A port that nobody is given.
        let cell = try await CellServer.start(
            scenario,
            CellServer.Options(
                ports: scenario.devices.map { _ in 0 },
                targets: scenario.devices.map { _ in .init(host: "127.0.0.1", port: 1) }))
        let received = try? await exchange(group, cell.ports[0], [1, 2, 3])
        #expect((received ?? []).isEmpty)
        await cell.stop()
        try await group.shutdownGracefully()
    }

    /// A device that may not send: the cell stops reading at its limit.
    @Test func waitingBytesAreBounded() async throws {
        try await withCell { group, cell in
            let answer = try await ask(
                group, cell.controlPort, #"{"command": "share", "hertz": {"d0": 0}, "seconds": 60}"#
            )
            #expect(answer == #"{"ok":true}"# + "\n")
            let sending = Task {
                _ = try? await exchange(
                    group, cell.ports[0], [UInt8](repeating: 7, count: 32 << 20))
            }
            var waiting = 0
            while waiting < CellLimits.waitingBytes {
                waiting = try await waitingBytes(group, cell)
                await Task.yield()
            }
            for _ in 0..<20 {
                waiting = max(waiting, try await waitingBytes(group, cell))
            }
            #expect(waiting <= CellLimits.waitingBytes + CellLimits.readBytes)
            sending.cancel()
            await sending.value
        }
    }

    private func waitingBytes(
        _ group: MultiThreadedEventLoopGroup, _ cell: CellServer
    ) async throws -> Int {
        let state = try await ask(group, cell.controlPort, #"{"command": "state"}"#)
        let found = state.firstMatch(of: /"name":"d0","waitingBytes":([0-9]+)/)
        return Int(try #require(found).1) ?? 0
    }

    @Test(arguments: [
        (#"{"command": "share", "hertz": {"d0": 1e6}}"#, #""ok":true"#),
        (#"{"command": "share", "hertz": {"d77": 1}}"#, "no device is called"),
        (#"{"command": "share", "hertz": {"d1": -1}}"#, "0 or more"),
        (#"{"command": "share", "hertz": {"d1": 1e12}}"#, "together"),
        (#"{"command": "share", "hertz": {"d1": 1}, "seconds": 1e9}"#, "seconds is"),
        (#"{"command": "share"}"#, "needs"),
        (#"{"command": "equal"}"#, #""ok":true"#),
        (#"{"command": "dance"}"#, "command is not"),
        ("share d0", "not understood"), ("", "not understood"),
        (String(repeating: "x", count: 70_000), "longer than"),
    ])
    func theControlPortAnswersInOneLine(request: String, expected: String) async throws {
        try await withCell { group, cell in
            let answer = try await ask(group, cell.controlPort, request)
            #expect(answer.contains(expected), "\(answer)")
            #expect(answer.count { $0.isNewline } == 1)
        }
    }
}
