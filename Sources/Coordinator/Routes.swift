import SystemModel
import Wire

/// Where pairs go: the plan, and who occupies its slots. A snapshot that the inference thread keeps
/// until the membership changes, so that a layer costs no lookup.
struct Routes: Sendable {
    /// A device that can be sent work.
    struct Occupant: Sendable {
        let id: DeviceID
        /// Its name is unique among the connected devices.
        let description: DeviceDescription
        let link: any DeviceLink
        /// Experts that it can compute.
        let ready: Set<ExpertID>

        var name: String { description.name }
    }

    /// Before the first snapshot.
    static let none = Routes(
        version: 0, placement: Placement(slots: [], slotCount: 0), occupants: [])

    let version: Int
    /// The slots that are far nodes', whoever is there.
    let cloudSlots: Range<Int>
    let placement: Placement
    /// By slot; nil where nobody is, or whoever is there is late.
    let occupants: [Occupant?]
    /// The slots of far nodes that are there.
    let clouds: [Int]
    /// What the base station's memory is to hold.
    let resident: Set<ExpertID>
    /// `[layers][experts]`: the slots whose devices can compute an expert that is not the base
    /// station's, its own slot first; far nodes left out.
    private let holders: [[[Int]]]

    init(
        version: Int, placement: Placement, occupants: [Occupant?],
        cloudSlots: Range<Int> = 0..<0, resident: Set<ExpertID> = []
    ) {
        self.version = version
        self.resident = resident
        self.cloudSlots = cloudSlots
        self.placement = placement
        self.occupants = occupants
        clouds = occupants.indices.filter { occupants[$0]?.description.isCloud ?? false }
        let near = occupants.indices.filter { !(occupants[$0]?.description.isCloud ?? true) }
        holders = placement.slots.enumerated().map { layer, slots in
            slots.enumerated().map { expert, home in
                guard let home else { return [] }
                let id = ExpertID(layer: layer, expert: expert)
                return near.filter { occupants[$0]?.ready.contains(id) ?? false }
                    .sorted { ($0 == home ? -1 : $0) < ($1 == home ? -1 : $1) }
            }
        }
    }

    /// Whether the slot's groups are by choice computed here or far away.
    func isCloud(_ slot: Int) -> Bool { cloudSlots.contains(slot) }

    /// The slots whose devices can compute the expert, its own first; none where only a far node or
    /// the base station can.
    func holders(layer: Int, expert: Int) -> [Int] { holders[layer][expert] }
}
