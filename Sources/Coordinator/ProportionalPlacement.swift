import Foundation
package import SystemModel

/// Spreads experts over devices in proportion to their speed, as far as their memory reaches.
///
/// Experts are dealt in order of layer and expert, each to the device that is furthest behind its
/// share (smooth weighted round robin), so that shares hold within a layer too: the devices of one
/// layer work in parallel and the slowest decides. What fits nowhere stays at the base station.
/// Ours: a start until the planners of methods.md, section 3.
package enum ProportionalPlacement {
    /// One slot's offer.
    package struct Offer: Sendable, Equatable {
        /// Bytes of experts it can hold.
        package let memoryBytes: Int
        /// Relative speed; only ratios matter.
        package let speed: Double

        /// - Precondition: speed is positive and finite.
        package init(memoryBytes: Int, speed: Double) {
            precondition(speed > 0 && speed.isFinite, "a speed is positive and finite")
            self.memoryBytes = memoryBytes
            self.speed = speed
        }
    }

    /// - Parameters:
    ///   - offers: slot `k` is `offers[k]`; the same offers give the same placement.
    ///   - kept: experts that stay at the base station.
    /// - Complexity: O(layers × experts × offers).
    package static func plan(
        _ shape: ModelShape, offers: [Offer], keeping kept: Set<ExpertID> = []
    ) -> Placement {
        var left = offers.map(\.memoryBytes)
        var credit = [Double](repeating: 0, count: offers.count)
        let total = offers.reduce(0) { $0 + $1.speed }
        let slots = (0..<shape.layers).map { layer in
            (0..<shape.experts).map { expert -> Int? in
                let bytes = shape.expertBytes[layer]
                let id = ExpertID(layer: layer, expert: expert)
                guard bytes > 0, !kept.contains(id) else { return nil }
                for slot in credit.indices { credit[slot] += offers[slot].speed / total }
                let fitting = credit.indices.filter { left[$0] >= bytes }
                guard let slot = fitting.max(by: { credit[$0] < credit[$1] }) else { return nil }
                credit[slot] -= 1
                left[slot] -= bytes
                return slot
            }
        }
        return Placement(slots: slots, slotCount: offers.count)
    }

    /// A measured speed rounded to half powers of two, so that noise in a device's own benchmark
    /// does not deal a different placement at every start.
    package static func rounded(speed: Double) -> Double {
        let halves = (log2(speed) * 2).rounded()
        return exp2(halves / 2)
    }
}
