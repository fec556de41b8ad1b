import Wire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes to a connection's socket on the calling thread, as far as the system takes it at once
/// (ours): handing a frame to the channel's thread costs a wake-up, a good part of a hop.
///
/// It has a descriptor of its own for the socket. The channel may close its one at any time, and
/// the system may then give the number to somebody else.
struct DirectWriter: ~Copyable {
    /// Half of the descriptors that a process usually has; the others are left to others.
    static let descriptorLimit: CInt = 512

    private let descriptor: CInt

    /// - Parameters:
    ///   - socket: the channel's descriptor, which does not block. SwiftNIO has made the process
    ///     ignore the signal of a lost peer (SIGPIPE).
    ///   - limit: its own descriptor is a lower number.
    /// - Returns: nil if so many descriptors are open.
    init?(of socket: CInt, below limit: CInt = descriptorLimit) {
        let descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        guard descriptor < limit else {
            _ = close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// Header and payload at once, so that they leave in one segment.
    ///
    /// - Returns: how many of the frame's bytes the system took: fewer than all of them if the peer
    ///   is slow to read, none if the connection is lost.
    borrowing func write(_ frame: Frame) -> Int {
        frame.header.withUnsafeBytes { header in
            frame.payload.withUnsafeBytes { payload in
                let parts = [header, payload].map {
                    iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress),
                        iov_len: $0.count)
                }
                return max(0, writev(descriptor, parts, CInt(parts.count)))
            }
        }
    }
}
