import Testing

@testable import SystemModel

struct PlacementTests {
    @Test func theFirstSlottedLayerIsTheFirstWithASlot() {
        #expect(
            Placement(slots: [[nil, nil], [], [nil, 1], [0, 0]], slotCount: 2)
                .firstSlottedLayer == 2)
        #expect(Placement(slots: [[0], [nil]], slotCount: 1).firstSlottedLayer == 0)
        #expect(Placement(slots: [[nil], [nil]], slotCount: 0).firstSlottedLayer == 2)
        #expect(Placement(slots: [], slotCount: 0).firstSlottedLayer == 0)
    }
}
