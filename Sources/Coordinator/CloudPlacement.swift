import SystemModel

/// What far nodes hold (`join --role cloud`): first what no device has room for, which is the far
/// node's own slot, then copies of everything else, the last ones for devices that are lost or
/// late.
///
/// They take no part in dealing experts to devices, which is done before. What the base station
/// itself holds is never asked of them. SlimCaching's cloud, for one base station; ours in that it
/// may hold less than everything.
enum CloudPlacement {
    /// - Parameters:
    ///   - placement: of the devices; its slots keep their numbers, those of far nodes follow.
    ///   - memoryBytes: of the far nodes, in order of their slots.
    ///   - resident: experts that the base station's memory holds.
    ///   - popularity: `[layers][experts]`; the hottest come first. Nil: by layer and expert.
    /// - Returns: the placement, and by far node the copies to hold beside its own, as far as its
    ///   memory reaches.
    /// - Complexity: O(experts · (far nodes + log experts)).
    static func plan(
        _ shape: ModelShape, _ placement: Placement, memoryBytes: [Int],
        keeping resident: Set<ExpertID>, popularity: [[Double]]?
    ) -> (placement: Placement, copies: [[ExpertID]]) {
        var slots = placement.slots
        var left = memoryBytes
        var copies = [[ExpertID]](repeating: [], count: memoryBytes.count)
        let order = order(shape, popularity).filter { !resident.contains($0) }
        let homeless = Set(order.filter { placement.slot(of: $0) == nil })
        for id in order where homeless.contains(id) {
            let bytes = shape.expertBytes[id.layer]
            guard let cloud = left.firstIndex(where: { $0 >= bytes }) else { continue }
            slots[id.layer][id.expert] = placement.slotCount + cloud
            left[cloud] -= bytes
        }
        for cloud in left.indices {
            let own = placement.slotCount + cloud
            for id in order where slots[id.layer][id.expert] != own {
                let bytes = shape.expertBytes[id.layer]
                guard left[cloud] >= bytes else { continue }
                copies[cloud].append(id)
                left[cloud] -= bytes
            }
        }
        return (
            Placement(slots: slots, slotCount: placement.slotCount + memoryBytes.count), copies
        )
    }

    /// All experts, the hottest first.
    private static func order(_ shape: ModelShape, _ popularity: [[Double]]?) -> [ExpertID] {
        let all = (0..<shape.layers).filter { shape.expertBytes[$0] > 0 }.flatMap { layer in
            (0..<shape.experts).map { ExpertID(layer: layer, expert: $0) }
        }
        guard let popularity else { return all }
        func heat(_ id: ExpertID) -> Double { popularity[id.layer][id.expert] }
        return all.sorted {
            (-heat($0), $0.layer, $0.expert) < (-heat($1), $1.layer, $1.expert)
        }
    }
}
