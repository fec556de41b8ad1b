package import Planning
package import SystemModel

/// The cell at one moment, as a problem to plan and as it runs (ours).
///
/// Far nodes are no part of the problem: they hold what the plan leaves over, and are asked layer
/// by layer where that is sooner (`CloudState`).
package struct PlacementSituation: Sendable, Equatable {
    /// Devices in order of their names.
    package var problem: DeploymentProblem
    /// `[layers][experts]`: where each expert is computed now: by its device, by one that holds a
    /// copy if that is gone, else at the base station. Empty for dense layers.
    package var running: [[ExpertHome]]
    /// By device, the experts that need not be shipped: it can compute them now, or has them on
    /// disk.
    package var held: [Set<ExpertID>]
    /// By device, those of `held` that it cannot compute yet; empty if there are none.
    package var onDisk: [Set<ExpertID>]
    /// Whether somebody is there who was given nothing yet.
    package var hasSpare: Bool

    package init(
        problem: DeploymentProblem, running: [[ExpertHome]], held: [Set<ExpertID>],
        onDisk: [Set<ExpertID>] = [], hasSpare: Bool
    ) {
        self.problem = problem
        self.running = running
        self.held = held
        self.onDisk = onDisk
        self.hasSpare = hasSpare
    }
}

extension PlacementSituation {
    /// A visit to an expert in no memory is never planned on as shorter than this, whatever was
    /// measured, as `plan deploy` takes it: what the system keeps of a file in memory by chance may
    /// be gone tomorrow; `--resident` says what may be counted on.
    static let leastFileSeconds = 0.005

    /// - Parameters:
    ///   - sets: `[layers]`: what tokens are expected to visit.
    ///   - reuse: `[layers][experts]`: how soon steps come back to experts; nil: as if each step
    ///     were independent of the last.
    ///   - rowsPerStep: how many of them are decoded together.
    ///   - residentBytes: memory of the base station for experts.
    /// - Complexity: O(layers · experts · devices).
    init(
        _ membership: MembershipState, _ shape: ModelShape, _ latencies: MeasuredLatencies,
        sets: [[RoutedSet]], reuse: [[ReuseTimes]]? = nil, rowsPerStep: Int = 1,
        residentBytes: Int
    ) {
        let members = membership.devicesInOrder
        let resident = latencies.memory.latency.seconds(tokens: 1).value
        problem = DeploymentProblem(
            shape: shape, sets: sets,
            devices: members.map { Self.device($0.description, latencies) },
            residentBytes: residentBytes, residentSeconds: resident,
            fileSeconds: max(
                Self.leastFileSeconds, latencies.file.latency.seconds(tokens: 1).value, resident),
            promptRows: 1
        ).decodingTogether(rowsPerStep)
        problem.reuse = reuse ?? problem.independentReuse
        running = Self.running(membership, members, shape)
        held = members.map { $0.ready.union($0.stored) }
        onDisk = members.map { $0.stored.subtracting($0.ready) }
        hasSpare = membership.hasSpareDevices
    }

    static func device(
        _ description: DeviceDescription, _ latencies: MeasuredLatencies
    ) -> DeploymentProblem.Device {
        let estimate = latencies.estimate(description)
        return DeploymentProblem.Device(
            name: description.name, memoryBytes: description.memoryBytes,
            messageSeconds: estimate.messageSeconds,
            visitSeconds: estimate.computeSecondsPerRow, rowSeconds: estimate.airSecondsPerRow)
    }

    private static func running(
        _ membership: MembershipState, _ members: [MembershipState.Member], _ shape: ModelShape
    ) -> [[ExpertHome]] {
        let bySlot = [Int: Int](
            members.enumerated().compactMap { number, member in member.slot.map { ($0, number) } },
            uniquingKeysWith: min)
        let holdings = members.map { Set($0.assigned) }
        return (0..<shape.layers).map { layer in
            guard shape.expertBytes[layer] > 0 else { return [] }
            return (0..<shape.experts).map { expert in
                let id = ExpertID(layer: layer, expert: expert)
                if membership.content.resident.contains(id) { return .resident }
                guard let slot = membership.placement.slot(of: id) else { return .file }
                // Less than its slot's where it offers less memory than it did.
                if let own = bySlot[slot], holdings[own].contains(id) { return .device(own) }
                return holdings.firstIndex { $0.contains(id) }.map { .device($0) } ?? .file
            }
        }
    }

    /// What each machine is to hold so that experts have these homes: devices their own, then
    /// copies of others' as far as memory reaches.
    ///
    /// - Parameters:
    ///   - copies: most devices that hold an expert.
    ///   - shipsCopies: whether copies may be shipped; otherwise only those stay that are there.
    package func content(
        _ homes: [[ExpertHome]], copies: Int, shipsCopies: Bool = true
    ) -> ContentPlan {
        var content = ContentPlan()
        content.copies = copies
        content.recentBytes = problem.recentBytes(homes)
        content.popularity = problem.sets.map { $0.popularity(experts: problem.shape.experts) }
        var own = [[ExpertID]](repeating: [], count: problem.devices.count)
        for (layer, experts) in homes.enumerated() {
            for (expert, home) in experts.enumerated() {
                let id = ExpertID(layer: layer, expert: expert)
                switch home {
                case .resident: content.resident.insert(id)
                case .device(let device): own[device].append(id)
                case .file: break
                }
            }
        }
        let standby = DeploymentCopies.plan(
            problem, homes, copies: copies, held: held, shipAtMost: shipsCopies ? .max : 0)
        let names = problem.devices.map(\.name)
        content.devices = [String: [ExpertID]](
            zip(names, own), uniquingKeysWith: { first, _ in first })
        content.standby = [String: [ExpertID]](
            zip(names, standby), uniquingKeysWith: { first, _ in first })
        return content
    }

    /// By device, the bytes that have to be shipped until it holds what has its home there.
    package func bytesToShip(_ homes: [[ExpertHome]]) -> [Int] {
        var bytes = [Int](repeating: 0, count: problem.devices.count)
        for (layer, experts) in homes.enumerated() {
            for (expert, home) in experts.enumerated() {
                guard case .device(let device) = home,
                    !held[device].contains(ExpertID(layer: layer, expert: expert))
                else { continue }
                bytes[device] += problem.shape.expertBytes[layer]
            }
        }
        return bytes
    }

    /// By device, the bytes that have to be shipped until it holds what the content gives it.
    package func bytesToShip(_ content: ContentPlan) -> [Int] {
        problem.devices.indices.map { device in
            let name = problem.devices[device].name
            let wanted = (content.devices?[name] ?? []) + (content.standby[name] ?? [])
            return bytes(wanted.filter { !held[device].contains($0) })
        }
    }

    /// Whether a device is given something that it only has to load from its disk.
    func loadsFromDisk(_ content: ContentPlan) -> Bool {
        zip(problem.devices, onDisk).contains { device, onDisk in
            let wanted =
                (content.devices?[device.name] ?? []) + (content.standby[device.name] ?? [])
            return wanted.contains(where: onDisk.contains)
        }
    }

    private func bytes(_ experts: [ExpertID]) -> Int {
        experts.reduce(0) { $0 + problem.shape.expertBytes[$1.layer] }
    }
}
