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
}
