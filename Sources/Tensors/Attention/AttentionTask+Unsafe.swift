/// Causal attention of some consecutive rows of one sequence, for the heads that share one
/// key-value head. Tasks write different outputs and can run at the same time.
package struct AttentionTask {
    package let tile: KeyValueTile
    /// The sequence's pages in order, up to the last row's.
    package let pages: UnsafePointer<UnsafeRawPointer>
    /// Where in each page the tile lies, in bytes.
    package let offset: Int
    /// Position of the first row.
    package let position: Int
    package let rows: Int
    /// Heads that share the keys and values.
    package let heads: Int
    /// The first row's queries, `[heads × keySize]`.
    package let queries: UnsafePointer<Float>
    /// Elements from one row's queries to the next one's.
    package let queryStride: Int
    /// The first row's outputs, `[heads × valueSize]`; overwritten.
    package let outputs: UnsafeMutablePointer<Float>
    /// Elements from one row's outputs to the next one's.
    package let outputStride: Int
    /// Factor of the scores.
    package let scale: Float
    /// A position sees itself and the `window - 1` before it.
    package let window: Int
    /// `[heads]` logits that take part in the softmax and have no value.
    package let sinks: UnsafePointer<Float>?

    package init(
        tile: KeyValueTile, pages: UnsafePointer<UnsafeRawPointer>, offset: Int, position: Int,
        rows: Int, heads: Int, queries: UnsafePointer<Float>, queryStride: Int,
        outputs: UnsafeMutablePointer<Float>, outputStride: Int, scale: Float, window: Int,
        sinks: UnsafePointer<Float>?
    ) {
        precondition(window > 0, "a position sees itself")
        self.tile = tile
        self.pages = pages
        self.offset = offset
        self.position = position
        self.rows = rows
        self.heads = heads
        self.queries = queries
        self.queryStride = queryStride
        self.outputs = outputs
        self.outputStride = outputStride
        self.scale = scale
        self.window = window
        self.sinks = sinks
    }

    /// `softmax(scale · q · kᵀ) · v` of every row and head, over the positions that the row sees.
    ///
    /// Online softmax (Milakov and Gimelshein 2018; Dao et al. 2022) tile by tile. Tiles lie at
    /// multiples of `KeyValueTile.positions` in the sequence, so a row's bits do not depend on the
    /// rows beside it, on how the sequence was read in, or on the instruction set.
    package func run() {
        Kernels.detected.attend(self)
    }
}
