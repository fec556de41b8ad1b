import Synchronization
import SystemModel
import Wire

/// What a connection tells the coordinator.
extension Coordinator {
    /// What is left in the mailbox.
    enum Letter: Sendable {
        case result(DeviceID, Frame, arrived: Duration)
        case failed(DeviceID, request: UInt64?, message: String)
        case lost(DeviceID)
    }

    /// A control connection's hello: the device is a member from now on.
    func join(
        _ description: DeviceDescription, on link: any DeviceLink
    ) throws(WireError) -> DeviceID {
        var generator = SystemRandomNumberGenerator()
        let token = SessionToken.random(using: &generator)
        let (id, unique) = state.withLock { state in
            state.lastID += 1
            let id = DeviceID(state.lastID)
            state.sessions[id] = Session(control: link, bulk: nil, token: token)
            return (id, state.membership.uniqueName(description))
        }
        link.send(
            try Welcome(
                deviceID: id, sessionToken: token, activationCodec: options.codec,
                heartbeatMilliseconds: Int(options.heartbeat.milliseconds)
            ).frame())
        tell(.joined(unique, peer: link.peer))
        perform(mutate { $0.joined(id, unique) })
        return id
    }

    /// A bulk connection's hello.
    ///
    /// - Throws: `invalid` if it does not belong to a member.
    func joinBulk(
        _ id: DeviceID, _ token: SessionToken, on link: any DeviceLink
    ) throws(WireError) {
        let known = state.withLock { state in
            guard state.sessions[id]?.token == token, state.sessions[id]?.bulk == nil else {
                return false
            }
            state.sessions[id]?.bulk = link
            return true
        }
        guard known else {
            throw WireError(.invalid, "no device of that number and token is connected")
        }
        let welcome = Welcome(
            deviceID: id, sessionToken: token, activationCodec: options.codec,
            heartbeatMilliseconds: Int(options.heartbeat.milliseconds))
        link.send(try welcome.frame())
    }

    /// A member reports what it has loaded.
    func progressed(_ id: DeviceID, _ progress: AssignmentProgress) {
        // Bytes alone change no route, and the inference thread pays for looking at routes.
        let isNews = !progress.ready.isEmpty
        let (before, member) = mutate(changingRoutes: { _ in isNews }) { membership in
            let before = membership.members[id]
            membership.progressed(
                id, ready: progress.ready, bytesFetched: progress.bytesFetched,
                bytesFromCache: progress.bytesFromCache, kept: progress.kept,
                bytesKept: progress.bytesKept)
            return (before, membership.members[id])
        }
        guard let before, let member, member.slot != nil else { return }
        perform(mutate(changingRoutes: { !$0.isEmpty }) { $0.finishChange() })
        keepAhead()
        tell(before, member)
    }

    /// A member offers other memory than before.
    func offered(_ id: DeviceID, _ offer: Offer) {
        perform(mutate { $0.offered(id, memoryBytes: offer.memoryBytes) })
        guard let name = membership.members[id]?.description.name else { return }
        tell(.offered(name: name, memoryBytes: offer.memoryBytes))
    }

    /// A member says why it is about to leave.
    func farewell(_ id: DeviceID, reason: String) {
        state.withLock { $0.sessions[id]?.farewell = reason }
    }

    /// A member's control connection is gone.
    func left(_ id: DeviceID, reason: String) {
        let session = state.withLock { $0.sessions.removeValue(forKey: id) }
        let name = mutate { membership -> String? in
            let name = membership.members[id]?.description.name
            membership.left(id)
            return name
        }
        // Nobody else may have to get ready any more.
        perform(mutate { $0.finishChange() })
        keepAhead()
        session?.bulk?.close()
        shipping.left(id)
        mailbox.post(.lost(id))
        if let name { links.left(name) }
        if let name { tell(.left(name: name, reason: session?.farewell ?? reason)) }
    }

    func refused(_ peer: String, reason: String) {
        tell(.refused(peer: peer, reason: reason))
    }
}
