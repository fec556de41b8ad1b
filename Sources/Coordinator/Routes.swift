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
    let placement: Placement
    /// By slot; nil where nobody is, or whoever is there is late.
    let occupants: [Occupant?]
    /// `[layers][experts]`: the slots whose occupants can compute an expert that is not the base
    /// station's, its own slot first.
    private let holders: [[[Int]]]

    init(version: Int, placement: Placement, occupants: [Occupant?]) {
        self.version = version
        self.placement = placement
        self.occupants = occupants
        holders = placement.slots.enumerated().map { layer, slots in
            slots.enumerated().map { expert, home in
                guard let home else { return [] }
                let id = ExpertID(layer: layer, expert: expert)
                return occupants.indices.filter { occupants[$0]?.ready.contains(id) ?? false }
                    .sorted { ($0 == home ? -1 : $0) < ($1 == home ? -1 : $1) }
            }
        }
    }

    /// The slots whose occupants can compute the expert, its own first; none where only the base
    /// station can.
    func holders(layer: Int, expert: Int) -> [Int] { holders[layer][expert] }
}
