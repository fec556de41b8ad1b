import Synchronization
import SystemModel
import Wire

/// One connection to the base station, from its hello on.
///
/// The first frame decides what it is; anything that is not in order is refused in words, and the
/// base station goes on.
final class Connection: Sendable {
    private enum Role {
        case unknown
        case control(DeviceID)
        case bulk(DeviceID)
        case refused
    }

    private let coordinator: Coordinator
    private let link: any DeviceLink
    private let role = Mutex(Role.unknown)

    init(coordinator: Coordinator, link: any DeviceLink) {
        self.coordinator = coordinator
        self.link = link
    }

    /// Called by the transport, one event at a time.
    func handle(_ event: LinkEvent) {
        switch (role.withLock { $0 }, event) {
        case (.control(let id), .closed(let reason)): coordinator.left(id, reason: reason)
        case (_, .closed), (.refused, _): break
        case (let role, .frame(let frame)):
            do {
                try handle(frame, role)
            } catch {
                refuse(error)
            }
        }
    }

    private func handle(_ frame: Frame, _ role: Role) throws(WireError) {
        switch role {
        case .unknown: try greet(frame)
        case .control(let id): try control(frame, id)
        case .bulk(let id):
            try coordinator.shipping.ship(try Fetch(frame: frame), to: id, on: link)
        case .refused: break
        }
    }

    private func greet(_ frame: Frame) throws(WireError) {
        switch try Hello(frame: frame).purpose {
        case .control(let description):
            let id = try coordinator.join(description, on: link)
            role.withLock { $0 = .control(id) }
        case .bulk(let id, let token):
            try coordinator.joinBulk(id, token, on: link)
            role.withLock { $0 = .bulk(id) }
        }
    }

    private func control(_ frame: Frame, _ id: DeviceID) throws(WireError) {
        switch frame.kind {
        case .expertResult:
            coordinator.mailbox.post(.result(id, frame, arrived: coordinator.clock.now))
        case .assignmentProgress:
            coordinator.progressed(id, try AssignmentProgress(frame: frame))
        case .offer: coordinator.offered(id, try Offer(frame: frame))
        case .failure:
            let failure = try Failure(frame: frame)
            coordinator.mailbox.post(
                .failed(id, request: failure.requestID, message: failure.message))
        case .goodbye: coordinator.farewell(id, reason: try Goodbye(frame: frame).reason)
        case .ping: link.send(try Heartbeat(frame: frame).reply.frame())
        case .pong: coordinator.ponged(id, try Heartbeat(frame: frame))
        default: throw WireError(.invalid, "a device does not send \(frame.kind) frames")
        }
    }

    private func refuse(_ error: WireError) {
        coordinator.refused(link.peer, reason: error.message)
        if case .control(let id) = role.withLock({ $0 }) {
            coordinator.farewell(id, reason: error.message)
        } else {
            role.withLock { $0 = .refused }
        }
        if let frame = try? Refusal(error).frame() { link.send(frame) }
        link.close()
    }
}
