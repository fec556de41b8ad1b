import MoEModel
package import ModelFiles
import Synchronization
package import SystemModel
package import Wire

/// A device: it dials a base station, holds the experts it is assigned, and computes with them. A
/// device that serves several base stations has a worker for each.
///
/// Two connections: one for control messages and batches, one for weights, so that shipping never
/// delays a token. Batches are computed on the control link's own thread; everything else is
/// handled in order by `serve`. Weights are hashed, written and read on a thread in the background.
package final class Worker: Sendable {
    /// Which of a session's two connections.
    package enum LinkKind: Sendable {
        /// For control messages and batches, which are computed on its thread.
        case control
        /// For weights; its thread may get what processors the others leave.
        case bulk
    }

    /// Opens a connection to the base station; called once a session for each kind. The two links
    /// must not share a thread: batches are computed on the control link's.
    package typealias Dialer =
        @Sendable (LinkKind, @escaping LinkHandler) async throws -> any DeviceLink

    /// What happens, for people.
    package enum Report: Sendable {
        /// The base station accepted the device.
        case joined(DeviceID, peer: String)
        /// Experts ready, of how many; bytes over the link and from the cache, of how many.
        case loaded(experts: Int, of: Int, fetched: Int, cached: Int, bytes: Int)
        /// Experts kept on disk ahead of need, of how many, and their bytes; whether others follow.
        case kept(experts: Int, of: Int, bytes: Int, isKeeping: Bool)
    }

    private enum Event: Sendable {
        case control(Frame)
        case bulk(Frame)
        case closed(reason: String)
        /// What became of its part of the memory.
        case memory(MemoryShareState.Action)
    }

    /// What the base station is offered, and where the session under way is told of it.
    private struct MemoryOffer {
        var bytes: Int
        var inbox: AsyncStream<Event>.Continuation?
    }

    private let device: DeviceDescription
    private let dial: Dialer
    private let computer: ExpertComputer
    private let loaderThread = InferenceThread(name: "martlet-loader", priority: .background)
    private let loader: Mutex<ExpertLoader>
    private let report: @Sendable (Report) -> Void
    private let memory: MemoryPart?
    private let offer: Mutex<MemoryOffer>

    /// - Parameters:
    ///   - device: what to tell the base station; its memory is that of `memory`, if there is one.
    ///   - store: where blobs are kept between sessions; several workers may share it.
    ///   - turns: shared by the workers of one device, so that their batches take turns.
    ///   - station: this worker's base station, by its position among the device's.
    ///   - memory: the base station's part of what the device offers; nil: all that `device` says.
    ///   - loading: how experts of the store's folder come into memory.
    ///   - pace: nil computes as fast as it can.
    ///   - report: called on the worker's own task.
    package init(
        device: DeviceDescription, store: BlobStore, clock: any MonotonicClock,
        pace: ExpertComputer.Pace? = nil, turns: ComputeTurns? = nil,
        station: TurnState.Station = 0, memory: MemoryPart? = nil,
        loading: WeightLoading = .mapped,
        dial: @escaping Dialer,
        report: @escaping @Sendable (Report) -> Void
    ) {
        self.device = device
        self.dial = dial
        self.report = report
        computer = ExpertComputer(
            clock: clock, pace: pace, turns: turns ?? ComputeTurns(clock: clock), station: station)
        loader = Mutex(
            ExpertLoader(
                store: store, computer: computer, memoryBytes: device.memoryBytes,
                diskBytes: device.diskBytes ?? 0, loading: loading))
        self.memory = memory
        offer = Mutex(MemoryOffer(bytes: device.memoryBytes))
        guard let bytes = memory?.attach({ [weak self] in self?.take($0) }) else { return }
        take(.offer(station, bytes: bytes))
    }

    /// One session: joins, then serves until the base station is gone.
    ///
    /// - Returns: why it ended.
    /// - Throws: `WorkerError` if the base station refuses the device or the cache fails; what the
    ///   dialer or the registry throws.
    package func serve() async throws -> String {
        loader.withLock { $0.begin() }
        let (events, inbox) = AsyncStream.makeStream(of: Event.self)
        let (control, slot) = try await connectControl(inbox)
        defer { control.close() }
        guard let memory else { return try await session(events, inbox, control) }
        do {
            try await memory.arrive()
            // It may have gone while its memory was fetched back.
            let gone = slot.closed.withLock { $0 }
            let reason =
                if let gone { gone } else { try await session(events, inbox, control) }
            await memory.leave()
            return reason
        } catch {
            await memory.leave()
            throw error
        }
    }

    private func session(
        _ events: AsyncStream<Event>, _ inbox: AsyncStream<Event>.Continuation,
        _ control: any DeviceLink
    ) async throws -> String {
        var described = device
        described.memoryBytes = offer.withLock { $0.bytes }
        control.send(try Hello(.control(described)).frame())
        var iterator = events.makeAsyncIterator()
        let welcome = try await Self.welcome(&iterator)
        report(.joined(welcome.deviceID, peer: control.peer))
        beginOffers(inbox, said: described.memoryBytes)
        defer { endOffers() }
        let bulk = try await connectBulk(inbox, welcome)
        defer { bulk.close() }
        do {
            return try await serve(&iterator, control: control, bulk: bulk)
        } catch {
            control.send(try Goodbye(reason: "\(error)").frame())
            throw error
        }
    }

    private func connectControl(
        _ inbox: AsyncStream<Event>.Continuation
    ) async throws -> (any DeviceLink, LinkSlot) {
        let computer = computer
        let slot = LinkSlot()
        let link = try await dial(.control) { event in
            switch event {
            case .frame(let frame) where frame.kind == .expertBatch:
                if let link = slot.link.withLock({ $0 }) { computer.answer(frame, on: link) }
            case .frame(let frame): inbox.yield(.control(frame))
            case .closed(let reason):
                slot.closed.withLock { $0 = reason }
                inbox.yield(.closed(reason: reason))
            }
        }
        slot.link.withLock { $0 = link }
        return (link, slot)
    }

    private func connectBulk(
        _ inbox: AsyncStream<Event>.Continuation, _ welcome: Welcome
    ) async throws -> any DeviceLink {
        let link = try await dial(.bulk) { event in
            switch event {
            case .frame(let frame): inbox.yield(.bulk(frame))
            case .closed(let reason): inbox.yield(.closed(reason: reason))
            }
        }
        link.send(
            try Hello(.bulk(device: welcome.deviceID, token: welcome.sessionToken)).frame())
        return link
    }

    private static func welcome(
        _ events: inout AsyncStream<Event>.Iterator
    ) async throws -> Welcome {
        guard let event = await events.next() else {
            throw WorkerError(.refused, "the connection closed before the base station answered")
        }
        switch event {
        case .control(let frame) where frame.kind == .refusal:
            throw WorkerError(.refused, "refused: \(try Refusal(frame: frame).message)")
        case .control(let frame), .bulk(let frame):
            return try Welcome(frame: frame)
        case .memory: preconditionFailure("offers come after the welcome")
        case .closed(let reason):
            throw WorkerError(
                .refused, "no answer from a base station: \(reason); is the address right?")
        }
    }

    private func serve(
        _ events: inout AsyncStream<Event>.Iterator, control: any DeviceLink,
        bulk: any DeviceLink
    ) async throws -> String {
        while let event = await events.next() {
            switch event {
            case .closed(let reason): return reason
            case .memory(let action):
                if let reason = try await changeMemory(action, control, bulk) { return reason }
            case .bulk(let frame): try await load(control, bulk) { try $0.received(bulk: frame) }
            case .control(let frame):
                switch frame.kind {
                case .goodbye: return try Goodbye(frame: frame).reason
                case .refusal: throw WorkerError(.refused, try Refusal(frame: frame).message)
                case .ping: control.send(try Heartbeat(frame: frame).reply.frame())
                case .assignment:
                    try await load(control, bulk) { try $0.assigned(Assignment(frame: frame)) }
                    tellHeld()
                default: break
                }
            }
        }
        return "the connection closed"
    }

    /// One step of the loader on its thread; then requests go out, and progress if there is some.
    private func load(
        _ control: any DeviceLink, _ bulk: any DeviceLink,
        _ step: @escaping @Sendable (ExpertLoader) throws -> ExpertLoader.Progress?
    ) async throws {
        let progress = try await loaderThread.run { [self] in
            try loader.withLock { try step($0) }
        }
        guard let progress else { return }
        for request in progress.requests { bulk.send(try request.frame()) }
        guard progress.isNews || progress.isKeptNews else { return }
        control.send(
            try AssignmentProgress(
                ready: progress.ready, bytesFetched: progress.bytesFetched,
                bytesFromCache: progress.bytesFromCache, kept: progress.kept,
                bytesKept: progress.bytesKept
            ).frame())
        if progress.isNews { report(.loaded(progress)) }
        if progress.isKeptNews, progress.expertsToKeep > 0 { report(.kept(progress)) }
    }
}

extension Worker.Report {
    fileprivate static func loaded(_ progress: ExpertLoader.Progress) -> Self {
        .loaded(
            experts: progress.expertsReady, of: progress.expertsAssigned,
            fetched: progress.bytesFetched, cached: progress.bytesFromCache,
            bytes: progress.bytesAssigned)
    }

    fileprivate static func kept(_ progress: ExpertLoader.Progress) -> Self {
        .kept(
            experts: progress.expertsKept, of: progress.expertsToKeep, bytes: progress.bytesKept,
            isKeeping: progress.isKeeping)
    }
}

/// What becomes of the base station's part of the memory.
extension Worker {
    /// Told by `memory`: in a session by its task, after what came before, and else at once.
    private func take(_ action: MemoryShareState.Action) {
        offer.withLock { offer in
            if case .offer(_, let bytes) = action { offer.bytes = bytes }
            guard let inbox = offer.inbox else { return follow(offer.bytes) }
            inbox.yield(.memory(action))
        }
    }

    /// From now on the session's task is told; the first thing is what has changed since the hello.
    private func beginOffers(_ inbox: AsyncStream<Event>.Continuation, said: Int) {
        offer.withLock { offer in
            offer.inbox = inbox
            guard let memory, offer.bytes != said else { return }
            inbox.yield(.memory(.offer(memory.station, bytes: offer.bytes)))
        }
    }

    private func endOffers() {
        offer.withLock { offer in
            offer.inbox = nil
            follow(offer.bytes)
        }
    }

    /// No base station is there: what does not fit goes.
    private func follow(_ bytes: Int) {
        guard memory != nil else { return }
        loaderThread.submit { [self] in
            loader.withLock { loader in
                loader.offered(bytes)
                loader.cutAlone()
            }
            tellHeld()
        }
    }

    /// - Returns: why the session ends, if it does.
    private func changeMemory(
        _ action: MemoryShareState.Action, _ control: any DeviceLink, _ bulk: any DeviceLink
    ) async throws -> String? {
        switch action {
        case .offer(_, bytes: 0):
            let reason = "its memory is lent to other base stations"
            control.send(try Goodbye(reason: reason).frame())
            return reason
        case .offer(_, let bytes):
            try await loaderThread.run { [self] in loader.withLock { $0.offered(bytes) } }
            control.send(try Offer(memoryBytes: bytes).frame())
        case .cut: try await load(control, bulk) { try $0.cut() }
        }
        tellHeld()
        return nil
    }

    /// Lets others have what is free.
    private func tellHeld() {
        guard let memory else { return }
        memory.holds(loader.withLock { $0.assignedBytes })
    }
}

/// The control link, for a handler that exists before it does.
private final class LinkSlot: Sendable {
    let link = Mutex<(any DeviceLink)?>(nil)
    /// Why it is closed, once it is.
    let closed = Mutex<String?>(nil)
}

extension ExpertLoader {
    /// A frame came on the bulk connection; nil for one that asks for nothing.
    fileprivate func received(bulk frame: Frame) throws -> Progress? {
        switch frame.kind {
        case .chunk: return try arrived(Chunk(frame: frame))
        case .refusal: throw WorkerError(.refused, try Refusal(frame: frame).message)
        case .failure:
            throw WorkerError(.protocolViolation, try Failure(frame: frame).message)
        default: return nil
        }
    }
}
