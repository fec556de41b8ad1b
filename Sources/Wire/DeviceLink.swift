/// One connection between base station and device: the seam "how bytes travel".
///
/// What comes in goes to the `LinkHandler` given when the link was made.
package protocol DeviceLink: AnyObject, Sendable {
    /// Sends a frame.
    ///
    /// Never blocks and may be called from any thread, a link handler included. Frames sent one
    /// after another arrive in that order. A frame sent after the link has closed is dropped; so
    /// is one that would make more than `Limits.outboundBytes` wait for a peer that does not read,
    /// and the link is closed then.
    func send(_ frame: Frame)

    /// Closes the link. What was sent before still goes out if the peer reads it within a short
    /// time; nothing more is delivered here but `.closed`. Closing twice does nothing.
    func close()

    /// Who is at the other end, for people: an address or a name.
    var peer: String { get }
}

/// What a link delivers to its handler.
package enum LinkEvent: Equatable, Sendable {
    /// The peer sent a frame.
    case frame(Frame)
    /// The link is closed, by whom and why in one line. Exactly once, and last.
    case closed(reason: String)
}

/// Receives what a link delivers: in order and one call at a time, on a thread of the transport.
///
/// It must not block, or it delays every link of that transport: hand the work to a thread of
/// your own. The handler is released after `.closed`.
package typealias LinkHandler = @Sendable (LinkEvent) -> Void

/// Receives a new connection and returns the handler of what arrives on it.
///
/// Called before anything is delivered; the first frame will be a hello. It must not block.
package typealias LinkAcceptor = @Sendable (any DeviceLink) -> LinkHandler
