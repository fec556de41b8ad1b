/// One expert of one layer.
package struct ExpertID: Hashable, Comparable, Sendable, Codable {
    /// Position of the layer in the model, from 0.
    package let layer: Int
    /// Position of the expert in its layer, from 0.
    package let expert: Int

    package init(layer: Int, expert: Int) {
        self.layer = layer
        self.expert = expert
    }

    package static func < (left: ExpertID, right: ExpertID) -> Bool {
        (left.layer, left.expert) < (right.layer, right.expert)
    }
}
