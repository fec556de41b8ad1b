import MoEModel
import Registries
import Synchronization
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire
import Worker

@testable import Coordinator

/// One device with two base stations, of which one goes away for long and comes back.
@Suite(.timeLimit(.minutes(5))) struct LentMemoryTests {
    /// The device: memory for all experts of a model, half of it for each station.
    private final class Device: Sendable {
        let machine: SharedMachine
        let sharing: MemorySharing
        let allBytes: Int
        let clock = ManualClock()
        let registry: InProcessRegistry
        private let running: Task<Void, any Error>

        init(_ folder: TemporaryFolder, _ model: Model) throws {
            let all = model.shape.expertBytes.reduce(0) { $0 + $1 * model.shape.experts }
            let registry = InProcessRegistry(clock: clock)
            let sharing = MemorySharing(
                ["a", "b"].map { .init(name: $0, quotaBytes: all / 2) }, lendAfter: .seconds(60),
                registry: registry, clock: clock)
            machine = SharedMachine(store: try BlobStore(directory: folder.path + "/cache"))
            running = Task { try await sharing.run() }
            (allBytes, self.registry, self.sharing) = (all, registry, sharing)
        }

        /// Lets time pass, as the command's loop does.
        func pass(_ time: Duration) async throws {
            clock.advance(by: time)
            registry.lapse()
            try await sharing.glance()
        }

        /// Lets time pass until it holds.
        func pass(_ time: Duration = .seconds(5), until condition: () -> Bool) async throws {
            while !condition() {
                try await pass(time)
                try await Task.sleep(for: .milliseconds(2))
            }
        }

        var registered: [String] {
            get async throws { try await registry.entries(under: "").entries.map(\.key) }
        }

        deinit { running.cancel() }
    }

    /// A base station of the device, whose steps run on a thread of its own.
    private final class Station: Sendable {
        let cell: TestCell
        let worker: Worker
        let thread = InferenceThread()
        private let ids: [Int]
        private let own: Matrix
        private let experts: Mutex<RemoteExperts>
        private let isDone = Mutex(false)

        init(
            _ number: Int, of device: Device, _ model: Model, _ depth: Depth,
            wrap: @escaping @Sendable (any DeviceLink) -> any DeviceLink = { $0 }
        ) async throws {
            ids = try ExpectedModel("mixtral").input_ids
            own = try model.logits(ids, LocalExperts(layers: model.experts))
            cell = try await TestCell(model, depth)
            worker = cell.makeWorker(
                "shared", machine: device.machine, memory: device.sharing.part(of: number),
                station: number, wrap: wrap)
            experts = Mutex(cell.experts())
        }

        var member: MembershipState.Member? { cell.coordinator.membership.members.values.first }
        var memoryBytes: Int { member?.description.memoryBytes ?? 0 }
        var assignedBytes: Int {
            let shape = cell.model.shape
            return member?.assigned.reduce(0) { $0 + shape.expertBytes[$1.layer] } ?? 0
        }

        func serve() -> Task<String, any Error> { Task { try await worker.serve() } }

        func isJoined() async { await cell.coordinator.wait { $0.members.count == 1 } }

        /// Deals experts for what is offered, between two steps.
        func replan() async throws {
            try await thread.run { self.cell.coordinator.replan() }
            await cell.coordinator.wait { $0.isComplete }
        }

        /// Whether a step gives the bits of one process, and what it cost.
        func step() async throws -> (isOwn: Bool, cost: CostRecord) {
            try await thread.run {
                try self.experts.withLock { experts in
                    _ = experts.takeCosts()
                    let isOwn = try self.cell.model.logits(self.ids, experts) == self.own
                    return (isOwn, experts.takeCosts())
                }
            }
        }

        func stopStepping() { isDone.withLock { $0 = true } }

        /// Steps until told to end.
        func keepStepping() async throws -> (steps: Int, wrong: Int) {
            var count = (steps: 0, wrong: 0)
            while !isDone.withLock({ $0 }) {
                count.wrong += try await step().isOwn ? 0 : 1
                count.steps += 1
            }
            return count
        }
    }

    /// B goes away: A is offered its part and uses it. B is back: A is cut first, then B has its
    /// part again. A's bits are the same all along.
    @Test(arguments: Depth.allCases)
    func memoryIsLentAndComesBack(_ depth: Depth) async throws {
        let model = try tinyModel("mixtral")
        let folder = try TemporaryFolder()
        let device = try Device(folder, model)
        let a = try await Station(0, of: device, model, depth)
        let b = try await Station(1, of: device, model, depth)
        let (serving, servingB) = (a.serve(), b.serve())
        for station in [a, b] {
            await station.isJoined()
            try await station.replan()
            #expect(station.memoryBytes == device.allBytes / 2)
            #expect(try await station.step().isOwn)
        }
        #expect(try await device.registered == ["stations/a", "stations/b"])
        async let stepping = a.keepStepping()

        let left = device.clock.now
        b.cell.cut("shared")
        _ = try await servingB.value
        #expect(try await device.registered == ["stations/a"])
        try await device.pass { a.memoryBytes == device.allBytes }
        #expect(device.clock.now - left >= .seconds(60))
        #expect(a.assignedBytes <= device.allBytes / 2, "until there is a plan")
        try await a.replan()
        #expect(a.assignedBytes == device.allBytes)
        #expect(try await a.step().cost.localPairs == 0)

        let back = b.serve()
        await b.isJoined()
        #expect(a.memoryBytes == device.allBytes / 2, "A was cut before B was told")
        #expect(a.assignedBytes <= device.allBytes / 2 && a.assignedBytes > 0)
        #expect(b.memoryBytes == device.allBytes / 2)
        try await b.replan()
        #expect(try await b.step().isOwn && b.assignedBytes > 0)
        let cut = try await a.step()
        #expect(cut.isOwn && cut.cost.localPairs > 0, "what has no room is computed here")
        try await a.replan()
        a.stopStepping()
        let (steps, wrong) = try await stepping
        #expect(steps > 0 && wrong == 0)
        for station in [a, b] { await station.cell.close() }
        for session in [serving, back] { _ = try await session.value }
        #expect(try await device.registered.isEmpty)
    }

    /// A base station that never hears of the smaller offer: the device lets go by itself in time,
    /// and what it has no more is computed by the base station.
    @Test func aBaseStationThatDoesNotListenHoldsNobodyUp() async throws {
        let model = try tinyModel("mixtral")
        let folder = try TemporaryFolder()
        let device = try Device(folder, model)
        let isDeaf = Mutex(false)
        let a = try await Station(0, of: device, model, .inProcess) { link in
            DeafenedLink(link) { $0.kind == .offer && isDeaf.withLock { $0 } }
        }
        let b = try await Station(1, of: device, model, .inProcess)
        let serving = a.serve()
        await a.isJoined()
        try await device.pass { a.memoryBytes == device.allBytes }
        try await a.replan()
        isDeaf.withLock { $0 = true }
        let late = b.serve()
        let asked = device.clock.now
        try await device.pass(.milliseconds(100)) { b.member != nil }
        #expect(device.clock.now - asked >= .seconds(2), "A had its time")
        #expect(b.memoryBytes == device.allBytes / 2)
        #expect(a.memoryBytes == device.allBytes, "A has not heard")
        // The device's thread that computes for A may hear of it a little later.
        var step = try await a.step()
        for _ in 0..<100 where step.cost.localPairs == 0 { step = try await a.step() }
        #expect(step.isOwn && step.cost.localPairs > 0)
        #expect(step.cost.devices["shared"]?.lostFrames ?? 0 > 0)
        for station in [a, b] { await station.cell.close() }
        for session in [serving, late] { _ = try await session.value }
    }

    /// The machine was stopped for so long that the lease of a station that is there has ended: it
    /// is registered anew and keeps what it has.
    @Test func aStationWhoseLeaseHasEndedIsRegisteredAnew() async throws {
        let model = try tinyModel("mixtral")
        let folder = try TemporaryFolder()
        let device = try Device(folder, model)
        let a = try await Station(0, of: device, model, .inProcess)
        let serving = a.serve()
        await a.isJoined()
        try await a.replan()
        try await device.pass(.seconds(59))
        #expect(try await device.registered == ["stations/a"])
        try await device.pass { a.memoryBytes == device.allBytes }
        try await a.replan()
        #expect(a.assignedBytes == device.allBytes)
        await a.cell.close()
        _ = try await serving.value
    }
}

/// A link that swallows some of what is sent on it.
private final class DeafenedLink: DeviceLink {
    private let link: any DeviceLink
    private let isLost: @Sendable (Frame) -> Bool

    init(_ link: any DeviceLink, isLost: @escaping @Sendable (Frame) -> Bool) {
        self.link = link
        self.isLost = isLost
    }

    var peer: String { link.peer }

    func send(_ frame: Frame) {
        if !isLost(frame) { link.send(frame) }
    }

    func close() { link.close() }
}
