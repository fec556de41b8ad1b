package import SystemModel

/// Which experts devices keep on disk beside those in their memories, so that after a loss, or when
/// tokens visit others, what is assigned anew is there already. Decisions only. Ours.
///
/// First come experts that only one device holds: each goes to the disk of another, so that the
/// loss of any one device leaves nothing to ship. Then those that no device holds, and then further
/// places for all, the popular ones first each time. A device's experts are spread over the others
/// by popularity, since who has them on disk will compute them once it is gone; of equals the one
/// with most room is taken. What is on a disk already stays where it is.
package enum DiskAhead {
    /// Most places of an expert, in memories and on disks: more would serve the loss of several
    /// devices at once, and every place is shipped once.
    package static let mostPlaces = 4

    /// One device.
    package struct Device: Sendable {
        /// Experts in its memory, or on their way there.
        package var held: Set<ExpertID>
        /// Experts on its disk.
        package var stored: Set<ExpertID>
        /// Bytes of its disk beside those in its memory; may be less than 0.
        package var roomBytes: Int

        package init(held: Set<ExpertID>, stored: Set<ExpertID> = [], roomBytes: Int) {
            (self.held, self.stored, self.roomBytes) = (held, stored, roomBytes)
        }
    }

    /// - Parameters:
    ///   - resident: experts in the base station's memory: no device gets them.
    ///   - popularity: `[layers][experts]`, of which only the order of magnitude counts, so that
    ///     noise moves nothing; nil: all alike.
    /// - Returns: by device the experts to keep, none of them in its memory, within its room; those
    ///   that matter most first.
    /// - Complexity: O(experts · (devices + log experts)).
    package static func plan(
        _ shape: ModelShape, _ devices: [Device], resident: Set<ExpertID> = [],
        popularity: [[Double]]?
    ) -> [[ExpertID]] {
        var disks = Disks(shape, devices, popularity)
        let experts = disks.order(but: resident)
        for id in experts where disks.places(id) == 1 { disks.place(id) }
        for places in 0..<min(mostPlaces, devices.count) {
            for id in experts where disks.places(id) == places { disks.place(id) }
        }
        return disks.kept
    }
}

/// Disks while they are being filled.
private struct Disks {
    private let shape: ModelShape
    private let popularity: [[Double]]?
    private let devices: [DiskAhead.Device]
    private(set) var kept: [[ExpertID]]
    private var left: [Int]
    /// `[layers · experts]`: by expert the devices that have it, in memory or on disk.
    private var holders: [[Int]]
    /// `[owners][devices]`: popularity of an owner's experts on a device's disk; the last owner
    /// stands for nobody.
    private var takenOver: [[Double]]

    init(_ shape: ModelShape, _ devices: [DiskAhead.Device], _ popularity: [[Double]]?) {
        (self.shape, self.devices, self.popularity) = (shape, devices, popularity)
        kept = Array(repeating: [], count: devices.count)
        left = devices.map(\.roomBytes)
        holders = Array(repeating: [], count: shape.layers * shape.experts)
        takenOver = Array(
            repeating: Array(repeating: 0, count: devices.count), count: devices.count + 1)
        for (number, device) in devices.enumerated() {
            for id in device.held { holders[index(id)].append(number) }
        }
    }

    /// Devices that have the expert.
    func places(_ id: ExpertID) -> Int { holders[index(id)].count }

    /// All experts that devices may be given, those that matter most first.
    func order(but resident: Set<ExpertID>) -> [ExpertID] {
        let all = (0..<shape.layers).filter { shape.expertBytes[$0] > 0 }.flatMap { layer in
            (0..<shape.experts).map { ExpertID(layer: layer, expert: $0) }
        }
        let stored = devices.reduce(into: Set<ExpertID>()) { $0.formUnion($1.stored) }
        let ranked = all.filter { !resident.contains($0) }.map { id in
            (id: id, rank: (-magnitude(id), stored.contains(id) ? 0 : 1, id.expert, id.layer))
        }
        return ranked.sorted { $0.rank < $1.rank }.map(\.id)
    }

    /// Onto one more disk, if one has room.
    mutating func place(_ id: ExpertID) {
        let bytes = shape.expertBytes[id.layer]
        let having = holders[index(id)]
        let owner = having.first ?? devices.count
        let roomy = devices.indices.filter { left[$0] >= bytes && !having.contains($0) }
        func rank(_ device: Int) -> (Int, Double, Int, Int) {
            (
                devices[device].stored.contains(id) ? 0 : 1, takenOver[owner][device],
                -left[device], device
            )
        }
        guard let device = roomy.min(by: { rank($0) < rank($1) }) else { return }
        kept[device].append(id)
        left[device] -= bytes
        holders[index(id)].append(device)
        takenOver[owner][device] += heat(id)
    }

    private func index(_ id: ExpertID) -> Int { id.layer * shape.experts + id.expert }

    private func heat(_ id: ExpertID) -> Double { popularity?[id.layer][id.expert] ?? 1 }

    /// The popularity's power of two; far below all others for what is never visited.
    private func magnitude(_ id: ExpertID) -> Int {
        let heat = heat(id)
        return heat > 0 ? Int(heat.exponent) : -2_000
    }
}
