/// How a step goes through the layers: as a whole, then in parts, each through a layer after the
/// part before it (ours).
package struct StepDivision: Sendable, Equatable {
    package static let whole = StepDivision(parts: 1, firstLayer: 0)

    /// At least 1.
    package let parts: Int
    /// The first layer that rows go through in parts. Of the layers before it nothing is out, so
    /// that nothing is to be waited for, and all rows read their weights once.
    package let firstLayer: Int

    package init(parts: Int, firstLayer: Int) {
        self.parts = parts
        self.firstLayer = firstLayer
    }
}
