import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How the kernel finds out that an idle peer is gone without a word, as when its radio is off.
///
/// A peer that owes an answer is found sooner, by its deadline.
enum Keepalive {
    /// Silence after which the kernel asks.
    static let idleSeconds: ChannelOptions.Types.SocketOption.Value = 10
    /// Pause between questions.
    static let intervalSeconds: ChannelOptions.Types.SocketOption.Value = 5
    /// Unanswered questions after which the connection is closed.
    static let probes: ChannelOptions.Types.SocketOption.Value = 3

    #if canImport(Darwin)
        static let idle = NIOBSDSocket.Option(rawValue: TCP_KEEPALIVE)
    #else
        static let idle = NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)
    #endif
    static let interval = NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)
    static let count = NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)
}
