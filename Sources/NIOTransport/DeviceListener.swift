import NIOCore
import Synchronization

/// An open port at which devices may connect.
package final class DeviceListener: Sendable {
    private let channel: any Channel

    init(channel: any Channel) {
        self.channel = channel
    }

    /// The port, chosen by the system when 0 was asked for.
    package var boundPort: Int { channel.localAddress?.port ?? 0 }

    /// Stops accepting. Links that were accepted stay open.
    package func close() async {
        // It fails only when the channel is closed already.
        try? await channel.close().get()
    }
}

/// Counts a listener's open connections.
final class ConnectionCounter: Sendable {
    private let limit: Int
    private let open = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts a connection until it closes. True when there are now more than the limit.
    func admit(_ channel: any Channel) -> Bool {
        let isFull = open.add(1, ordering: .relaxed).newValue > limit
        channel.closeFuture.whenComplete { _ in
            self.open.subtract(1, ordering: .relaxed)
        }
        return isFull
    }
}
