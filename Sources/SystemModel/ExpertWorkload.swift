/// What one visit of a token to an expert sends and computes (methods, section 1).
package struct ExpertWorkload: Sendable, Equatable {
    /// Hidden size, `m`.
    package let hidden: Int
    /// Inner size of one expert, `m_h`.
    package let expertInner: Int
    /// Bits of one element on the air.
    package let bitsPerElement: Double

    /// - Precondition: all sizes are positive.
    package init(hidden: Int, expertInner: Int, bitsPerElement: Double) {
        precondition(
            hidden > 0 && expertInner > 0 && bitsPerElement > 0, "sizes are positive")
        self.hidden = hidden
        self.expertInner = expertInner
        self.bitsPerElement = bitsPerElement
    }

    /// One activation, each way: `D = m · bits`.
    package var activation: Bits { Bits(Double(hidden) * bitsPerElement) }

    /// Gate, up and down projection of a SwiGLU expert: `F = 6 · m · m_h`.
    package var compute: Operations { Operations(6 * Double(hidden) * Double(expertInner)) }

    /// Bytes of one expert's three matrices at `bitsPerWeight`.
    package func expertBytes(bitsPerWeight: Double) -> Double {
        3 * Double(hidden) * Double(expertInner) * bitsPerWeight / 8
    }
}
