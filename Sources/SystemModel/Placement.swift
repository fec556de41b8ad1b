/// Which expert lives where.
///
/// Devices come and go; a plan speaks of *slots*, and a device occupies a slot while it is there.
/// The experts of one slot are one group: their outputs are summed together whoever computes them,
/// so a device that steps in for another changes no bit of an answer.
package struct Placement: Sendable, Equatable {
    /// `[layer][expert]`: the slot that holds the expert, or nil for the base station.
    package let slots: [[Int?]]
    /// Slots are numbered `0..<slotCount`.
    package let slotCount: Int
    /// The first layer with an expert that is not the base station's; the number of layers if there
    /// is none.
    package let firstSlottedLayer: Int

    /// - Precondition: every slot is in `0..<slotCount`.
    package init(slots: [[Int?]], slotCount: Int) {
        precondition(
            slots.joined().allSatisfy { $0.map { 0..<slotCount ~= $0 } ?? true },
            "a slot is within the slot count")
        self.slots = slots
        self.slotCount = slotCount
        firstSlottedLayer = slots.firstIndex { $0.contains { $0 != nil } } ?? slots.count
    }

    /// Everything at the base station.
    package init(baseStationOnly shape: ModelShape) {
        let layer = [Int?](repeating: nil, count: shape.experts)
        self.init(slots: Array(repeating: layer, count: shape.layers), slotCount: 0)
    }

    /// The slot that holds the expert, or nil for the base station.
    package func slot(of id: ExpertID) -> Int? { slots[id.layer][id.expert] }

    /// The experts of one slot, in ascending order.
    package func experts(inSlot slot: Int) -> [ExpertID] {
        slots.enumerated().flatMap { layer, experts in
            experts.indices.filter { experts[$0] == slot }
                .map { ExpertID(layer: layer, expert: $0) }
        }
    }
}
