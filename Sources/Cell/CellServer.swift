import NIOCore
import NIOPosix
package import Scenarios
import SystemModel

/// An emulated cell: a port for each device, whose connections are forwarded at the pace of the
/// scenario's radio. It knows nothing of what it forwards.
package final class CellServer: Sendable {
    /// A host and a port.
    package struct Address: Sendable, Equatable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Who opens the connections, and so which way their first bytes go.
    package enum Dialer: String, Sendable, CaseIterable {
        /// Devices dial the base station, as martlet's do.
        case device
        /// The base station dials the devices, as with llama.cpp's RPC servers.
        case base
    }

    /// Where a cell listens and where it forwards to.
    package struct Options: Sendable {
        package var host = "127.0.0.1"
        /// `[devices]`; 0 lets the system choose.
        package var ports: [Int]
        /// `[devices]`, where each device's connections go.
        package var targets: [Address]
        package var dialer = Dialer.device
        /// The control port, on loopback; 0 lets the system choose.
        package var controlPort = 0
        /// Bits of a row in the emulated shape over bits of a row of the model that runs.
        package var slowdown = 1.0
        /// Snapshots come every this many hundredths of a second.
        package var snapshotStride = 100

        package init(ports: [Int], targets: [Address]) {
            self.ports = ports
            self.targets = targets
        }
    }

    /// `[devices]`, the ports listened on.
    package let ports: [Int]
    package let controlPort: Int
    /// The cell over time; the oldest are lost to a reader that is late.
    package let snapshots: AsyncStream<CellSnapshot>

    private let group: MultiThreadedEventLoopGroup
    private let cell: NIOLoopBound<CellLoop>
    private let listeners: [any Channel]

    /// Listens for every device and on the control port.
    ///
    /// - Throws: `CellError`, when a port is in use for example.
    package static func start(
        _ scenario: Scenario, _ options: Options
    ) async throws(CellError) -> CellServer {
        guard scenario.devices.count <= CellLimits.devices else {
            throw CellError(
                "the scenario has \(scenario.devices.count) devices, the limit of a cell is "
                    + "\(CellLimits.devices)")
        }
        guard Set(scenario.devices.map(\.name)).count == scenario.devices.count else {
            throw CellError("two devices of the scenario have the same name")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            return try await CellServer(scenario, options, group)
        } catch {
            try? await group.shutdownGracefully()
            throw (error as? CellError) ?? CellError("\(error)")
        }
    }

    /// Closes everything and ends the thread.
    package func stop() async {
        let cell = cell
        try? await group.any().submit { cell.value.stop() }.get()
        for listener in listeners { try? await listener.close() }
        try? await group.shutdownGracefully()
    }

    private init(
        _ scenario: Scenario, _ options: Options, _ group: MultiThreadedEventLoopGroup
    ) async throws {
        self.group = group
        let (snapshots, continuation) = AsyncStream.makeStream(
            of: CellSnapshot.self, bufferingPolicy: .bufferingNewest(1_000))
        self.snapshots = snapshots
        let loop = group.any()
        cell = try await loop.submit {
            let cell = CellLoop(
                scenario, slowdown: options.slowdown, loop: loop, snapshots: continuation)
            cell.look(stride: options.snapshotStride)
            return NIOLoopBound(cell, eventLoop: loop)
        }.get()
        let control = try await Self.bind(
            Self.controlBootstrap(cell, loop),
            Address(host: "127.0.0.1", port: options.controlPort))
        var listeners = [control]
        for (device, port) in options.ports.enumerated() {
            listeners.append(
                try await Self.bind(
                    Self.deviceBootstrap(
                        cell, loop, device: device, target: options.targets[device],
                        options.dialer),
                    Address(host: options.host, port: port)))
        }
        self.listeners = listeners
        controlPort = control.localAddress?.port ?? 0
        ports = listeners.dropFirst().map { $0.localAddress?.port ?? 0 }
    }

    private static func bind(
        _ bootstrap: ServerBootstrap, _ address: Address
    ) async throws(CellError) -> any Channel {
        do {
            return try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            throw CellError(
                "cannot listen on \(address.host):\(address.port): "
                    + "\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }

    private static func controlBootstrap(
        _ cell: NIOLoopBound<CellLoop>, _ loop: any EventLoop
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard cell.value.controlConnections < CellLimits.controlConnections else {
                        throw CellError("too many connections")
                    }
                    cell.value.controlConnections += 1
                    channel.closeFuture.whenComplete { _ in cell.value.controlConnections -= 1 }
                    try channel.pipeline.syncOperations.addHandler(ControlHandler(cell.value))
                }
            }
    }

    private static func deviceBootstrap(
        _ cell: NIOLoopBound<CellLoop>, _ loop: any EventLoop, device: Int, target: Address,
        _ dialer: Dialer
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: receiveAllocator)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let forwarder = cell.value.forwarder
                    let forth: AirQueue.Direction = dialer == .device ? .up : .down
                    guard let conduit = forwarder.open(device: device, forth: forth) else {
                        throw CellError("the device is cut off or has too many connections")
                    }
                    try channel.pipeline.syncOperations.addHandler(conduit.forth.source)
                    connect(conduit, to: target, forwarder)
                }
            }
    }

    private static func connect(_ conduit: Conduit, to target: Address, _ forwarder: Forwarder) {
        let bound = NIOLoopBound(conduit, eventLoop: forwarder.loop)
        ClientBootstrap(group: forwarder.loop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value.back.source)
                }
            }
            .connect(host: target.host, port: target.port)
            .assumeIsolated()
            .whenComplete { result in
                guard case .success = result else { return forwarder.close(conduit, resets: true) }
                for flow in conduit.flows { flow.source.resume() }
            }
    }

    private static let receiveAllocator = FixedSizeRecvByteBufferAllocator(
        capacity: CellLimits.readBytes)
}
