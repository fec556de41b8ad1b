import NIOCore
import NIOPosix
package import Wire

/// Device links over TCP: owns the threads that do the input and output.
///
/// Shut it down when done; its threads live until then.
package final class Transport: Sendable {
    let group: MultiThreadedEventLoopGroup
    private let timing: TransportTiming

    /// Starts the transport's threads.
    ///
    /// - Parameters:
    ///   - threads: one serves dozens of devices; a link stays on one thread.
    ///   - timing: the handshake's and the closing's patience.
    ///   - onThread: called on each of the threads before it does anything else, as to set its
    ///     priority.
    package init(
        threads: Int = 1, timing: TransportTiming = TransportTiming(),
        onThread: (@Sendable () -> Void)? = nil
    ) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        self.timing = timing
        if let onThread {
            for loop in group.makeIterator() { loop.execute(onThread) }
        }
    }

    /// Accepts devices.
    ///
    /// Peers that do not begin with a hello in time are refused and never reach `onAccept`; the
    /// listener goes on whatever a peer does.
    ///
    /// - Parameters:
    ///   - host: an address or name of this machine; "0.0.0.0" or "::" for all of them.
    ///   - port: 0 lets the system choose one.
    ///   - connectionLimit: connections at once; a further one is refused as busy.
    ///   - onAccept: receives each connection whose hello is valid; the first frame delivered to
    ///     the handler it returns is that hello.
    /// - Throws: `TransportError`, when the port is in use for example.
    package func listen(
        host: String, port: Int, connectionLimit: Int = Limits.connections,
        onAccept: @escaping LinkAcceptor
    ) async throws(TransportError) -> DeviceListener {
        let address = try Self.validated(host: host, port: port, lowestPort: 0)
        let connections = ConnectionCounter(limit: connectionLimit)
        let timing = timing
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(Keepalive.idle), value: Keepalive.idleSeconds)
            .childChannelOption(.tcpOption(Keepalive.interval), value: Keepalive.intervalSeconds)
            .childChannelOption(.tcpOption(Keepalive.count), value: Keepalive.probes)
            .childChannelOption(.recvAllocator, value: Self.receiveAllocator)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                let isFull = connections.admit(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FrameHandler(
                            accepted: channel, isFull: isFull, timing: timing, accept: onAccept))
                }
            }
        do {
            return DeviceListener(
                channel: try await bootstrap.bind(host: address.host, port: port).get())
        } catch {
            throw TransportError(listeningOn: address.description, error)
        }
    }

    /// Connects to a base station.
    ///
    /// Say hello at once: the link is closed when no welcome or refusal comes in time, or when
    /// what comes first is anything else.
    ///
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address or a name.
    ///   - port: 1 to 65535.
    ///   - timeout: for establishing the connection.
    ///   - handler: receives what the base station sends. Not called when this throws.
    /// - Throws: `TransportError`, when nobody listens there for example.
    package func dial(
        host: String, port: Int, timeout: Duration, handler: @escaping LinkHandler
    ) async throws(TransportError) -> any DeviceLink {
        let address = try Self.validated(host: host, port: port, lowestPort: 1)
        let timing = timing
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(Keepalive.idle), value: Keepalive.idleSeconds)
            .channelOption(.tcpOption(Keepalive.interval), value: Keepalive.intervalSeconds)
            .channelOption(.tcpOption(Keepalive.count), value: Keepalive.probes)
            .channelOption(.recvAllocator, value: Self.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: 16)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FrameHandler(
                            dialled: channel, address: address, timing: timing, handler: handler))
                }
            }
        do {
            return try await bootstrap.connect(host: address.host, port: port).flatMapThrowing {
                try $0.pipeline.syncOperations.handler(type: FrameHandler.self).link
            }.get()
        } catch {
            throw TransportError(dialling: address.description, error)
        }
    }

    /// Closes every listener and link and ends the threads. Nothing may be called afterwards.
    package func shutdown() async {
        // It fails only when it was shut down before, and then there is nothing left to do.
        try? await group.shutdownGracefully()
    }

    /// One read takes what the kernel holds of a decoding step's frame, whatever its size.
    private static let receiveAllocator = FixedSizeRecvByteBufferAllocator(capacity: 64 << 10)

    private static func validated(
        host: String, port: Int, lowestPort: Int
    ) throws(TransportError) -> Address {
        guard (lowestPort...65_535).contains(port) else {
            throw TransportError(
                .addressNotAvailable, "port \(port): it must be in \(lowestPort)...65535")
        }
        return Address(host: host, port: port)
    }
}

/// How patient a transport is.
package struct TransportTiming: Sendable {
    /// For a peer's hello, and for the answer to ours.
    package var handshake: Duration
    /// For a peer to take what was sent before we closed.
    package var closing: Duration

    /// The defaults suit devices on a wireless network.
    package init(handshake: Duration = .seconds(5), closing: Duration = .seconds(2)) {
        self.handshake = handshake
        self.closing = closing
    }
}
