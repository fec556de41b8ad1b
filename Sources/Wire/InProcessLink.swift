import Dispatch
import Synchronization

/// A link between two parts of one process, for tests and for clusters on one machine.
///
/// It keeps the contract of a network link: delivery is on a serial queue, so that `send` never
/// re-enters the caller, and frames that nobody takes are bounded.
package final class InProcessLink: DeviceLink {
    /// The name given to the other end.
    package let peer: String

    private let inbox: Inbox
    private let outbox: Inbox

    private init(peer: String, inbox: Inbox, outbox: Inbox) {
        self.peer = peer
        self.inbox = inbox
        self.outbox = outbox
    }

    /// Connects a device to a base station, as dialling a listener would.
    ///
    /// - Parameters:
    ///   - device: the name that the base station sees as its peer.
    ///   - base: the name that the device sees as its peer.
    ///   - handler: receives what the base station sends.
    ///   - accept: the base station's side; called once, before this returns.
    /// - Returns: the device's end.
    package static func connect(
        device: String = "device in this process", base: String = "base station in this process",
        handler: @escaping LinkHandler, accept: LinkAcceptor
    ) -> any DeviceLink {
        let toDevice = Inbox()
        let toBase = Inbox()
        let baseEnd = InProcessLink(peer: device, inbox: toBase, outbox: toDevice)
        let deviceEnd = InProcessLink(peer: base, inbox: toDevice, outbox: toBase)
        toDevice.open(handler)
        toBase.open(accept(baseEnd))
        return deviceEnd
    }

    /// Queues the frame for the other end's handler.
    package func send(_ frame: Frame) {
        guard !outbox.offer(frame) else { return }
        closeBoth(
            here: "\(peer) did not take what was sent to it: \(Limits.outboundBytes) bytes wait",
            there: "closed by the peer: too much was waiting")
    }

    /// Closes both ends; what was sent before is delivered first.
    package func close() {
        closeBoth(here: "closed by this side", there: "closed by the peer")
    }

    private func closeBoth(here: String, there: String) {
        inbox.close(reason: here, dropWaiting: true)
        outbox.close(reason: there, dropWaiting: false)
    }
}

/// One direction of an in-process link: a serial queue in front of a handler.
private final class Inbox: Sendable {
    private struct State {
        var handler: LinkHandler?
        var waitingBytes = 0
        var isClosed = false
        var dropsWaiting = false
    }

    private let queue = DispatchQueue(label: "martlet.in-process-link")
    private let state = Mutex(State())

    /// Delivery waits for the handler: the queue is held until it is there.
    init() {
        queue.suspend()
    }

    func open(_ handler: @escaping LinkHandler) {
        state.withLock { $0.handler = handler }
        queue.resume()
    }

    /// Queues a frame. False when too much waits already; a closed inbox drops it and says true.
    func offer(_ frame: Frame) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return true }
            guard state.waitingBytes + frame.byteCount <= Limits.outboundBytes else { return false }
            state.waitingBytes += frame.byteCount
            // Under the lock, so that no frame follows the closing.
            queue.async { self.deliver(frame) }
            return true
        }
    }

    func close(reason: String, dropWaiting: Bool) {
        state.withLock { state in
            state.dropsWaiting = state.dropsWaiting || dropWaiting
            guard !state.isClosed else { return }
            state.isClosed = true
            queue.async { self.finish(reason) }
        }
    }

    private func deliver(_ frame: Frame) {
        let handler = state.withLock { state in
            state.waitingBytes -= frame.byteCount
            return state.dropsWaiting ? nil : state.handler
        }
        handler?(.frame(frame))
    }

    private func finish(_ reason: String) {
        let handler = state.withLock { state in
            defer { state.handler = nil }
            return state.handler
        }
        handler?(.closed(reason: reason))
    }
}
