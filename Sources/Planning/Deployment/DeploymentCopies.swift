package import SystemModel

/// Fills devices' memory beside a deployment with further copies of experts, so that a device that
/// is slow or gone has somebody to step in for it (the rule of the live base station's own copies;
/// ours).
///
/// A row's experts of one device are computed by one machine (ARCHITECTURE, decision 3). So first
/// whole groups, a layer's experts of one device, are copied to one other device, those first that
/// most tokens visit for their bytes; then single experts, the hottest first, near others of their
/// group.
package struct DeploymentCopies {
    private struct Group {
        let layer: Int
        let device: Int
        let experts: [Int]
        /// Visits of a token for each byte.
        let heat: Double
    }

    private let problem: DeploymentProblem
    private var left: [Int]
    private var copies: [[ExpertID]]
    private var holders: [ExpertID: Set<Int>] = [:]
    /// By device, what need not be shipped to it.
    private let held: [Set<ExpertID>]
    private var bytesToShip: Int

    /// - Parameters:
    ///   - homes: `[layers][experts]`.
    ///   - copies: most devices that hold an expert, its home included.
    ///   - held: by device, experts that it has already: it is preferred where it has room.
    ///   - shipAtMost: bytes that may come to devices which do not have them.
    /// - Returns: by device the experts that it holds beside its own, first those that matter most.
    /// - Complexity: O(copies · devices · layers · experts · log experts).
    package static func plan(
        _ problem: DeploymentProblem, _ homes: [[ExpertHome]], copies: Int,
        held: [Set<ExpertID>] = [], shipAtMost: Int = .max
    ) -> [[ExpertID]] {
        var plan = Self(problem, homes, held, shipAtMost)
        let groups = plan.groups(homes)
        guard copies > 1, problem.devices.count > 1 else { return plan.copies }
        for copy in 1..<min(copies, problem.devices.count) {
            for group in groups { plan.copy(group, copy) }
            for group in groups {
                for expert in group.experts { plan.copy(expert, of: group, copy) }
            }
        }
        return plan.copies
    }

    private init(
        _ problem: DeploymentProblem, _ homes: [[ExpertHome]], _ held: [Set<ExpertID>],
        _ shipAtMost: Int
    ) {
        self.problem = problem
        self.held = held.isEmpty ? problem.devices.map { _ in [] } : held
        bytesToShip = shipAtMost
        left = Array(problem.bytesLeft(homes).dropFirst())
        copies = Array(repeating: [], count: problem.devices.count)
    }

    private func groups(_ homes: [[ExpertHome]]) -> [Group] {
        homes.indices.flatMap { layer -> [Group] in
            guard !homes[layer].isEmpty else { return [] }
            let (heat, order) = (problem.heat(layer), problem.hottest(layer))
            let bytes = Double(problem.shape.expertBytes[layer])
            return problem.devices.indices.compactMap { device in
                let experts = order.filter { homes[layer][$0] == .device(device) }
                let visits = experts.reduce(0) { $0 + heat[$1] }
                return experts.isEmpty
                    ? nil
                    : Group(
                        layer: layer, device: device, experts: experts,
                        heat: visits / (bytes * Double(experts.count)))
            }
        }.sorted { (-$0.heat, $0.layer, $0.device) < (-$1.heat, $1.layer, $1.device) }
    }

    /// Other devices, the preferred one first; layers of a device prefer different ones.
    private func others(_ group: Group, _ copy: Int) -> [Int] {
        let count = problem.devices.count
        let first = (group.layer + copy - 1) % (count - 1)
        return (0..<count - 1).map { (group.device + 1 + (first + $0) % (count - 1)) % count }
    }

    private mutating func copy(_ group: Group, _ copy: Int) {
        self.copy(group.experts.map { id(group, $0) }, others(group, copy), copy)
    }

    private mutating func copy(_ expert: Int, of group: Group, _ copy: Int) {
        self.copy([id(group, expert)], others(group, copy), copy)
    }

    /// Together on the device to which least has to be shipped, of equals the first.
    private mutating func copy(_ ids: [ExpertID], _ others: [Int], _ copy: Int) {
        let wanted = ids.filter { holders[$0, default: []].count < copy }
        guard wanted.count == ids.count else { return }
        let bytes = bytes(ids)
        let roomy = others.filter { device in
            left[device] >= bytes && shipped(ids, device) <= bytesToShip
                && ids.allSatisfy { !(holders[$0]?.contains(device) ?? false) }
        }
        guard let device = roomy.min(by: { shipped(ids, $0) < shipped(ids, $1) }) else { return }
        bytesToShip -= shipped(ids, device)
        left[device] -= bytes
        copies[device] += ids
        for id in ids { holders[id, default: []].insert(device) }
    }

    private func bytes(_ ids: [ExpertID]) -> Int {
        ids.reduce(0) { $0 + problem.shape.expertBytes[$1.layer] }
    }

    private func shipped(_ ids: [ExpertID], _ device: Int) -> Int {
        bytes(ids.filter { !held[device].contains($0) })
    }

    private func id(_ group: Group, _ expert: Int) -> ExpertID {
        ExpertID(layer: group.layer, expert: expert)
    }
}
