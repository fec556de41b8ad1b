/// The sizes of a Mixture-of-Experts model that planning and cost formulas need.
///
/// Methods, section 1: layers `l`, experts `e`, `K` active per token, hidden size `m`, expert
/// inner size `m_h`.
package struct ModelShape: Sendable, Equatable, Codable {
    /// Layers that have experts; a layer's position among all layers is its index here.
    package let layers: Int
    /// Experts per layer; 0 in a dense model.
    package let experts: Int
    /// Experts per token, `K`.
    package let expertsPerToken: Int
    /// Hidden size, `m`.
    package let hidden: Int
    /// Bytes of one expert's weights as stored, per layer `[layers]` (0: a dense layer).
    package let expertBytes: [Int]

    /// - Precondition: one entry of `expertBytes` per layer.
    package init(
        layers: Int, experts: Int, expertsPerToken: Int, hidden: Int, expertBytes: [Int]
    ) {
        precondition(expertBytes.count == layers, "expertBytes needs one entry per layer")
        self.layers = layers
        self.experts = experts
        self.expertsPerToken = expertsPerToken
        self.hidden = hidden
        self.expertBytes = expertBytes
    }
}
