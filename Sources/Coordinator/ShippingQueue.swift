import MoEModel
import Synchronization
import SystemModel
import Wire

/// Hashes experts and sends their bytes, on a thread in the background, when `ShippingPaceState`
/// says so. Devices take turns, chunk by chunk; what one device is owed goes out in order.
final class ShippingQueue: Sendable {
    /// What a device is owed.
    enum Job: Sendable {
        /// The manifests of experts, hashed one at a time; then all of them go to `send`.
        case assignment([ExpertID], send: @Sendable ([ExpertManifest]) -> Void)
        /// A part of a blob, sent on a link.
        case chunk(Fetch, on: any DeviceLink)
    }

    private let desk: ShippingDesk
    private let thread = InferenceThread(name: "martlet-shipping", priority: .background)

    init(_ catalog: sending ExpertCatalog, clock: any MonotonicClock) {
        let desk = ShippingDesk(catalog, clock: clock)
        self.desk = desk
        thread.submit { while desk.serveNext() {} }
    }

    deinit { desk.close() }

    /// Owes a device an assignment.
    func assign(
        _ experts: [ExpertID], to device: DeviceID,
        send: @escaping @Sendable ([ExpertManifest]) -> Void
    ) {
        _ = desk.add(.assignment(experts, send: send), for: device)
    }

    /// Owes a device the part of a blob that it asks for on a link.
    ///
    /// - Throws: `limitExceeded` if it asks for too many at once.
    func ship(_ fetch: Fetch, to device: DeviceID, on link: any DeviceLink) throws(WireError) {
        guard desk.add(.chunk(fetch, on: link), for: device) else {
            throw WireError(
                .limitExceeded,
                "fetch: \(Limits.fetches) wait for their chunks already, which is the limit")
        }
    }

    /// A device is gone: what it was owed is forgotten.
    func left(_ device: DeviceID) { desk.left(device) }

    /// The inference thread begins a layer's experts. Takes no lock that the background might hold.
    func layerBegan() { desk.layerEnd.store(.max, ordering: .relaxed) }

    /// The inference thread has a layer's experts.
    func layerEnded(at now: Duration) {
        desk.layerEnd.store(Int(now / .nanoseconds(1)), ordering: .relaxed)
    }
}

/// The part of the queue that its thread uses.
private final class ShippingDesk: Sendable {
    /// One device's jobs, first in, first out.
    struct Line {
        let device: DeviceID
        var jobs: [ShippingQueue.Job] = []
        /// Of the assignment in front, those hashed so far.
        var manifests: [ExpertManifest] = []
        var fetches = 0

        /// Assignments that were not sent yet: another takes their place.
        mutating func dropAssignments() {
            manifests = []
            jobs.removeAll { if case .assignment = $0 { true } else { false } }
        }
    }

    struct State {
        var pace = ShippingPaceState()
        /// In order of turns; only devices that are owed something.
        var lines: [Line] = []
        var isClosed = false
    }

    enum Step {
        case hash(ExpertID, for: DeviceID)
        case assign([ExpertManifest], send: @Sendable ([ExpertManifest]) -> Void)
        case ship(Fetch, on: any DeviceLink, for: DeviceID)
        case wait(Duration?)
        case end
    }

    /// Nanoseconds of the clock at which the last layer ended; `.max` while one is under way.
    let layerEnd = Atomic<Int>(.min)
    private let state = Mutex(State())
    /// Only the queue's thread looks into it.
    private let catalog: Mutex<ExpertCatalog>
    private let doorbell = Doorbell(looks: 1)
    private let clock: any MonotonicClock

    init(_ catalog: sending ExpertCatalog, clock: any MonotonicClock) {
        self.catalog = Mutex(catalog)
        self.clock = clock
    }

    /// False if the device is owed too much already.
    func add(_ job: ShippingQueue.Job, for device: DeviceID) -> Bool {
        let now = clock.now
        let isTaken = state.withLock { state in
            if case .chunk = job { state.pace.asked(device, at: now) }
            return state.add(job, for: device)
        }
        doorbell.ring()
        return isTaken
    }

    func left(_ device: DeviceID) {
        state.withLock { state in
            state.lines.removeAll { $0.device == device }
            state.pace.left(device)
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        doorbell.ring()
    }

    /// Does one piece of work, or waits for one. False: there will be none any more.
    func serveNext() -> Bool {
        let start = clock.now
        let end = layerEnd.load(ordering: .relaxed)
        let tokens: ShippingPaceState.Tokens =
            end == .max ? .underWay : .ended(.nanoseconds(end))
        switch state.withLock({ $0.next(start, tokens) }) {
        case .hash(let expert, let device):
            let manifest = catalog.withLock { $0.manifest(of: expert) }
            let end = clock.now
            state.withLock { state in
                state.hashed(manifest, for: device)
                state.pace.worked(from: start, to: end)
            }
        case .assign(let manifests, let send):
            send(manifests)
        case .ship(let fetch, let link, let device):
            let frame = catalog.withLock { $0.answer(fetch) }
            let departure = clock.now
            state.withLock { $0.pace.sent(device, at: departure) }
            if let frame { link.send(frame) }
            let end = clock.now
            state.withLock { $0.pace.worked(from: start, to: end) }
        case .wait(let moment):
            _ = doorbell.wait(timeout: moment.map { $0 - start })
        case .end:
            return false
        }
        return true
    }
}

extension ShippingDesk.State {
    /// False if the device is owed too much already.
    fileprivate mutating func add(_ job: ShippingQueue.Job, for device: DeviceID) -> Bool {
        let index = lines.firstIndex { $0.device == device } ?? lines.count
        if index == lines.count { lines.append(.init(device: device)) }
        if case .assignment = job { lines[index].dropAssignments() }
        if case .chunk = job {
            guard lines[index].fetches < Limits.fetches else { return false }
            lines[index].fetches += 1
        }
        lines[index].jobs.append(job)
        return true
    }

    /// What to do now: the first device's job that may be done, and then it is another's turn.
    fileprivate mutating func next(
        _ now: Duration, _ tokens: ShippingPaceState.Tokens
    ) -> ShippingDesk.Step {
        if isClosed { return .end }
        var soonest: Duration?
        for index in lines.indices {
            guard let job = lines[index].jobs.first else { continue }
            var sends = false
            if case .chunk = job { sends = true }
            let moment = pace.earliest(
                lines[index].device, sends: sends, now: now, tokens: tokens)
            if moment <= now { return take(index) }
            soonest = min(soonest ?? moment, moment)
        }
        return .wait(soonest)
    }

    private mutating func take(_ index: Int) -> ShippingDesk.Step {
        var line = lines.remove(at: index)
        defer { if !line.jobs.isEmpty { lines.append(line) } }
        switch line.jobs[0] {
        case .chunk(let fetch, let link):
            line.jobs.removeFirst()
            line.fetches -= 1
            return .ship(fetch, on: link, for: line.device)
        case .assignment(let experts, let send):
            guard line.manifests.count == experts.count else {
                return .hash(experts[line.manifests.count], for: line.device)
            }
            line.jobs.removeFirst()
            defer { line.manifests = [] }
            return .assign(line.manifests, send: send)
        }
    }

    /// An expert was hashed; if another assignment took the place of its own meanwhile, it may be
    /// none that comes next.
    fileprivate mutating func hashed(_ manifest: ExpertManifest, for device: DeviceID) {
        guard let index = lines.firstIndex(where: { $0.device == device }),
            case .assignment(let experts, _) = lines[index].jobs.first,
            experts.dropFirst(lines[index].manifests.count).first == manifest.id
        else { return }
        lines[index].manifests.append(manifest)
    }
}
