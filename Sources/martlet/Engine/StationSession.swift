import ModelFiles
import NIOTransport
import SystemModel
import Wire
import Worker

/// One base station that a device serves: session after session, until it refuses or is done with.
struct StationSession: Sendable {
    let endpoint: Endpoint
    let worker: Worker
    /// End when the base station goes away instead of dialing again.
    let once: Bool
    /// Tells people.
    let note: @Sendable (String) -> Void

    /// What all sessions of one device share.
    struct Machine: Sendable {
        let store: BlobStore
        let turns: ComputeTurns
        let pace: ExpertComputer.Pace?
        let loading: WeightLoading
    }

    /// The threads of a session's two links.
    struct Transports: Sendable {
        /// This session's own, of one thread, which computes.
        let control: Transport
        /// In the background; sessions may share it.
        let bulk: Transport

        subscript(kind: Worker.LinkKind) -> Transport {
            switch kind {
            case .control: control
            case .bulk: bulk
            }
        }
    }

    /// - Parameters:
    ///   - position: among the device's base stations.
    ///   - device: what this base station is told.
    ///   - memory: its part of the device's memory; nil: it has all of it.
    init(
        _ endpoint: Endpoint, position: Int, transports: Transports,
        device: DeviceDescription, machine: Machine, memory: MemoryPart?, once: Bool,
        note: @escaping @Sendable (String) -> Void
    ) {
        self.endpoint = endpoint
        self.once = once
        self.note = note
        let pace = ProgressPace()
        worker = Worker(
            device: device, store: machine.store, clock: SystemClock(), pace: machine.pace,
            turns: machine.turns, station: position, memory: memory, loading: machine.loading,
            dial: { kind, handler in
                try await transports[kind].dial(
                    host: endpoint.host, port: endpoint.port, timeout: .seconds(5),
                    handler: handler)
            },
            report: { if $0.isTold(pace) { note($0.line) } })
    }

    /// Serves; pauses grow while the base station stays away.
    ///
    /// - Throws: what makes dialing again pointless.
    func serve() async throws {
        var pause = 0.5
        while true {
            do {
                let reason = try await worker.serve()
                if Task.isCancelled { return }
                note("the base station is gone: \(reason)")
                pause = 0.5
            } catch let error as WorkerError where error.code != .protocolViolation {
                throw error
            } catch let error as CancellationError {
                throw error
            } catch {
                if once { throw error }
                note("\(error)")
            }
            if once { return }
            note("dialing \(endpoint) again in \(pause) s")
            try await Task.sleep(for: .seconds(pause))
            pause = min(pause * 2, 15)
        }
    }

    /// Serves all at once. What ends one does not disturb the others.
    ///
    /// - Throws: when all have ended, why the last of those that failed did.
    static func serve(_ sessions: [StationSession]) async throws {
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            for session in sessions {
                group.addTask {
                    do {
                        try await session.serve()
                        return nil
                    } catch {
                        if sessions.count > 1, !(error is CancellationError) {
                            session.note("no longer served: \(error)")
                        }
                        return error
                    }
                }
            }
            return await group.reduce(nil) { $1 ?? $0 }
        }
        if let failure { throw failure }
    }
}

extension Worker.Report {
    /// Progress is told at a pace, everything else at once.
    fileprivate func isTold(_ pace: ProgressPace) -> Bool {
        switch self {
        case .joined: true
        case .loaded(let ready, let count, _, _, _):
            pace.allows("experts", isLast: ready == count)
        case .kept(_, _, _, let isKeeping): pace.allows("kept", isLast: !isKeeping)
        }
    }

    /// The event as a line for standard error.
    var line: String {
        switch self {
        case .joined(let id, let peer): "joined \(peer) as \(id)"
        case .loaded(let ready, let count, let fetched, let cached, let bytes):
            "\(ready) of \(count) experts ready: \(Readable.bytes(fetched)) shipped, "
                + "\(Readable.bytes(cached)) from the cache, of \(Readable.bytes(bytes))"
        case .kept(let kept, let count, let bytes, let isKeeping):
            "\(kept) of \(count) experts on disk ahead of need, \(Readable.bytes(bytes))"
                + (isKeeping || kept == count ? "" : "; there is no room for the others")
        }
    }
}
