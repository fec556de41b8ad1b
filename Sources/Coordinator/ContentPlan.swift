package import SystemModel

/// What is wanted of the machines' memories, beyond dealing every expert once.
package struct ContentPlan: Sendable, Equatable {
    /// Experts that the base station's own memory holds; no device is given them, and a layer whose
    /// experts are all here costs no round trip.
    package var resident: Set<ExpertID> = []
    /// Bytes of the base station's memory, beside those, for experts that tokens visited last.
    package var recentBytes = 0
    /// By device name the experts to hold, the first device of an expert computing it and others
    /// standing by; nil: in proportion to speed.
    package var devices: [String: [ExpertID]]?
    /// By device name the experts to hold beside those, as far as memory reaches, for when others
    /// are slow, gone or not there.
    package var standby: [String: [ExpertID]] = [:]
    /// Most devices that hold an expert, as far as memory reaches.
    package var copies = 1
    /// `[layers][experts]`: how often each is visited; nil where nobody knows.
    package var popularity: [[Double]]?
    /// The file that it was read from, and what that file foresees; for people.
    package var file: String?
    package var foreseen: Foreseen?

    /// What a plan expects of a decoded token.
    package struct Foreseen: Sendable, Equatable {
        package let secondsPerToken: Double
        package let roundTripsPerToken: Double
        package let framesPerToken: Double

        package init(secondsPerToken: Double, roundTripsPerToken: Double, framesPerToken: Double) {
            self.secondsPerToken = secondsPerToken
            self.roundTripsPerToken = roundTripsPerToken
            self.framesPerToken = framesPerToken
        }
    }

    package init() {}
}

/// Fills spare memory with second copies of experts, so that a device that is slow or gone has
/// somebody to step in for it (methods, section 2: replicas first, drops last; the placement is
/// ours).
///
/// A row's experts of one slot are computed by one machine (ARCHITECTURE, decision 3), so copies of
/// a slot's experts of one layer go to one other slot where there is room, and other layers to
/// other slots.
package enum ReplicaPlacement {
    /// - Parameters:
    ///   - spareBytes: by slot, what is left beside its own experts.
    ///   - copies: most slots that hold an expert, its own included.
    ///   - popularity: `[layers][experts]`; the hottest are copied first. Nil: the first experts of
    ///     every layer first.
    /// - Returns: by slot the experts of other slots that it holds as well, hottest first.
    /// - Complexity: O(copies · layers · experts · (slots + log experts)).
    package static func plan(
        _ shape: ModelShape, _ placement: Placement, spareBytes: [Int], copies: Int,
        popularity: [[Double]]?
    ) -> [[ExpertID]] {
        let count = placement.slotCount
        var left = spareBytes
        var replicas = [[ExpertID]](repeating: [], count: count)
        guard copies > 1, count > 1 else { return replicas }
        let order = order(placement, popularity)
        for copy in 1..<min(copies, count) {
            for (id, home) in order {
                let bytes = shape.expertBytes[id.layer]
                // The preferred slot, then the ones after it; never one that has the expert.
                let first = (id.layer + copy - 1) % (count - 1)
                let slots = (0..<count - 1).map { (home + 1 + (first + $0) % (count - 1)) % count }
                guard
                    let slot = slots.first(where: {
                        left[$0] >= bytes && !replicas[$0].contains(id)
                    })
                else { continue }
                replicas[slot].append(id)
                left[slot] -= bytes
            }
        }
        return replicas
    }

    /// Experts on devices with their slots, the ones to copy first in front.
    private static func order(
        _ placement: Placement, _ popularity: [[Double]]?
    ) -> [(id: ExpertID, home: Int)] {
        let all = placement.slots.enumerated().flatMap { layer, slots in
            slots.enumerated().compactMap { expert, slot in
                slot.map { (id: ExpertID(layer: layer, expert: expert), home: $0) }
            }
        }
        func heat(_ id: ExpertID) -> Double { popularity?[id.layer][id.expert] ?? 0 }
        return all.sorted {
            (-heat($0.id), $0.id.expert, $0.id.layer) < (-heat($1.id), $1.id.expert, $1.id.layer)
        }
    }
}
