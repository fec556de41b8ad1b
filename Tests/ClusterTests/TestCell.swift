import Coordinator
import Foundation
import MoEModel
import ModelFiles
import NIOTransport
import Synchronization
import SystemModel
import Tensors
import TestSupport
import Wire
import Worker

/// How far down a test goes: everything in this process, or over loopback TCP.
enum Depth: CaseIterable, Sendable {
    case inProcess, loopback
}

/// A base station and its devices in this process, for one test.
final class TestCell: Sendable {
    let model: Model
    let coordinator: Coordinator
    private let depth: Depth
    private let transport: Transport
    private let listener: DeviceListener?
    private let links = Mutex<[String: [any DeviceLink]]>([:])
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(
        _ model: Model, _ depth: Depth, codec: ActivationCodec = .fp32,
        content: ContentPlan = ContentPlan()
    ) async throws {
        self.model = model
        self.depth = depth
        var options = Coordinator.Options()
        options.codec = codec
        options.shares = .equal
        options.content = content
        coordinator = Coordinator(
            shape: model.shape, experts: model.experts, options: options, clock: RealClock(),
            report: { _ in })
        transport = Transport()
        listener =
            depth == .loopback
            ? try await transport.listen(
                host: "127.0.0.1", port: 0, onAccept: coordinator.accept) : nil
    }

    /// Starts devices and waits until they have their experts.
    func start(devices names: [String], memoryBytes: Int = 1 << 30) async throws {
        for name in names { join(name, memoryBytes: memoryBytes) }
        await coordinator.wait { $0.members.count == names.count }
        coordinator.replan()
        await coordinator.wait { $0.isComplete }
    }

    /// Starts one device; it serves until its links are cut or the cell is closed.
    ///
    /// - Parameter machine: a device of other cells that serves this one too.
    func join(
        _ name: String, memoryBytes: Int = 1 << 30, cache: String? = nil,
        machine: SharedMachine? = nil, station: Int = 0, role: DeviceDescription.Role? = nil,
        diskBytes: Int? = nil
    ) {
        var device = Self.device(name, memoryBytes: memoryBytes, role: role)
        device.diskBytes = diskBytes
        let task = Task { [self] in
            guard let store = try? machine?.store ?? BlobStore(directory: cache) else { return }
            let worker = Worker(
                device: device, store: store, clock: ManualClock(), turns: machine?.turns,
                station: station, loading: cache == nil ? .mapped : .hugePages,
                dial: { _, handler in try await self.dial(name, handler) }, report: { _ in })
            _ = try? await worker.serve()
        }
        tasks.withLock { $0.append(task) }
    }

    /// A device that serves this cell with its part of what it has.
    ///
    /// - Parameter wrap: makes of its links what it is to send by.
    func makeWorker(
        _ name: String, machine: SharedMachine, memory: MemoryPart, station: Int,
        wrap: @escaping @Sendable (any DeviceLink) -> any DeviceLink = { $0 }
    ) -> Worker {
        Worker(
            device: Self.device(name, memoryBytes: 1), store: machine.store, clock: ManualClock(),
            turns: machine.turns, station: station, memory: memory,
            dial: { _, handler in wrap(try await self.dial(name, handler)) }, report: { _ in })
    }

    private static func device(
        _ name: String, memoryBytes: Int, role: DeviceDescription.Role? = nil
    ) -> DeviceDescription {
        DeviceDescription(
            name: name, memoryBytes: memoryBytes, cores: 1, instructionSet: "test",
            memoryGigabytesPerSecond: 1, gigaflopsPerSecond: 1, role: role)
    }

    /// Cuts a device's connections, as a power failure would.
    func cut(_ name: String) {
        let cut = links.withLock { $0.removeValue(forKey: name) ?? [] }
        for link in cut { link.close() }
    }

    /// The executor that the model sees; patient, since a loaded machine must not look like a lost
    /// device.
    ///
    /// - Parameters:
    ///   - planner: who chooses, if not the model.
    ///   - cloud: decides what far nodes are asked for.
    func experts(
        planner: LivePlanner? = nil, cloud: CloudState = CloudState()
    ) -> RemoteExperts {
        var patience = RemoteExperts.DeadlinePolicy()
        patience.floor = .seconds(120)
        return RemoteExperts(
            coordinator: coordinator, local: model.experts, deadlines: patience, planner: planner,
            cloud: cloud)
    }

    func close() async {
        coordinator.close(reason: "the test is over")
        await listener?.close()
        for name in links.withLock({ Array($0.keys) }) { cut(name) }
        await transport.shutdown()
        for task in tasks.withLock({ $0 }) { await task.value }
    }

    private func dial(
        _ name: String, _ handler: @escaping LinkHandler
    ) async throws -> any DeviceLink {
        let link: any DeviceLink
        if let listener {
            link = try await transport.dial(
                host: "127.0.0.1", port: listener.boundPort, timeout: .seconds(5),
                handler: handler)
        } else {
            link = InProcessLink.connect(
                device: name, handler: handler, accept: coordinator.accept)
        }
        links.withLock { $0[name, default: []].append(link) }
        return link
    }
}

/// What the workers of one device share.
struct SharedMachine: Sendable {
    let store: BlobStore
    let turns = ComputeTurns(clock: RealClock())
}

/// The machine's clock: these tests wait for real threads.
struct RealClock: MonotonicClock {
    private static let start = ContinuousClock().now

    var now: Duration { ContinuousClock().now - Self.start }
}

/// One of the tiny models.
func tinyModel(_ name: String) throws -> Model {
    try Model(try GGUFFile(path: Fixtures.path("models/\(name)/model-f32.gguf")))
}

extension Model {
    /// `[ids × vocabulary]` with these experts.
    func logits(_ ids: [Int], _ experts: any ExpertExecutor) throws -> Matrix {
        var cache = KeyValuePool(transformer).makeCache()
        return try transformer.forward(
            ids, cache: &cache, rows: .all, selector: selector, experts: experts)
    }

    /// New tokens after a prompt, with drafts of up to `longestDraft` tokens, and what they cost.
    func answer(
        _ prompt: [Int], count: Int, _ experts: any ExpertExecutor, longestDraft: Int = 0
    ) throws -> (tokens: [Int], cost: CostRecord) {
        var generation = Generation(
            transformer: transformer, selector: selector, experts: experts, clock: RealClock(),
            sampling: SamplingOptions(), prompt: prompt, longestDraft: longestDraft)
        var cost = CostRecord()
        let tokens = try (0..<count).map { _ in
            let token = try generation.next()
            cost.add(token.cost)
            return token.id
        }
        return (tokens, cost)
    }

    /// New tokens after a prompt; `before` is called ahead of each.
    func generate(
        _ prompt: [Int], count: Int, _ experts: any ExpertExecutor,
        before: (Int) -> Void = { _ in }
    ) throws -> [Int] {
        var generation = Generation(
            transformer: transformer, selector: selector, experts: experts, clock: RealClock(),
            sampling: SamplingOptions(), prompt: prompt)
        return try (0..<count).map { step in
            before(step)
            return try generation.next().id
        }
    }
}
