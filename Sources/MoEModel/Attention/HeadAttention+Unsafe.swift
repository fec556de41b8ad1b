import Tensors

/// Causal attention of all heads of a layer over the pages of a step's sequences, whatever made
/// their keys and values.
struct HeadAttention {
    let heads: Int
    /// Factor of the scores.
    let scale: Float
    /// A position sees itself and the `window - 1` before it; nil sees all.
    let window: Int?
    /// `[heads]` logits that take part in the softmax and have no value; or empty.
    let sinks: [Float]

    /// Rows of one task: enough that it reads each page for many of them.
    private static let rowsPerTask = KeyValueTile.positions

    /// Keeps the rows' keys and values in their sequences' pages.
    ///
    /// - Parameters:
    ///   - keys: `[tokens × (keyValueHeads · keySize)]`.
    ///   - values: `[tokens × (keyValueHeads · valueSize)]`; not read where values are keys.
    static func store(keys: Matrix, values: Matrix, layer: Int, _ rows: StepRows) {
        let (layout, tile) = (rows.layout, rows.layout.tile)
        precondition(keys.columns == layout.heads * tile.keySize, "one key for each head")
        precondition(
            tile.valuesAreKeys || values.columns == layout.heads * tile.valueSize,
            "one value for each head")
        keys.values.withUnsafeBufferPointer { keys in
            values.values.withUnsafeBufferPointer { values in
                guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
                for sequence in rows.sequences {
                    for row in sequence.rows {
                        let position = sequence.position + row - sequence.rows.lowerBound
                        let (page, place) = position.quotientAndRemainder(
                            dividingBy: KeyValueTile.positions)
                        for head in 0..<layout.heads {
                            let one = row * layout.heads + head
                            tile.store(
                                key: keys + one * tile.keySize,
                                value: values + (tile.valuesAreKeys ? 0 : one * tile.valueSize),
                                at: place,
                                in: sequence.pages[page].mutableAddress
                                    + layout.offset(layer: layer, head: head))
                        }
                    }
                }
            }
        }
    }

    /// `softmax(scale · q · kᵀ) · v` per head, each row over the positions that it sees.
    ///
    /// A row's bits depend on its own sequence alone (`AttentionTask.run`).
    ///
    /// - Parameters:
    ///   - queries: `[tokens × (heads · keySize)]`; the rows' own keys and values are stored.
    /// - Returns: `[tokens × (heads · valueSize)]`.
    func attend(_ queries: Matrix, layer: Int, _ rows: StepRows) -> Matrix {
        let tile = rows.layout.tile
        precondition(queries.columns == heads * tile.keySize, "one query for each head")
        precondition(heads % rows.layout.heads == 0, "heads share keys evenly")
        var output = Matrix(rows: queries.rows, columns: heads * tile.valueSize)
        queries.values.withUnsafeBufferPointer { queries in
            sinks.withUnsafeBufferPointer { sinks in
                output.values.withUnsafeMutableBufferPointer { output in
                    guard let queries = queries.baseAddress, let output = output.baseAddress
                    else { return }
                    let layer = LayerTasks(
                        all: self, layout: rows.layout, layer: layer, queries: queries,
                        outputs: output, sinks: sinks.isEmpty ? nil : sinks.baseAddress)
                    for sequence in rows.sequences { layer.run(sequence) }
                }
            }
        }
        return output
    }

    /// The tasks of one layer: by sequence, rows and key-value head.
    private struct LayerTasks {
        let all: HeadAttention
        let layout: KeyValueLayout
        let layer: Int
        let queries: UnsafePointer<Float>
        let outputs: UnsafeMutablePointer<Float>
        let sinks: UnsafePointer<Float>?

        /// Below this many multiplications dividing costs more than it saves.
        private static let smallestDivision = 1 << 20

        /// Divides the sequence's tasks among threads; each writes outputs of its own.
        func run(_ sequence: StepRows.Sequence) {
            let size = HeadAttention.rowsPerTask
            let tiles = (sequence.rows.count + size - 1) / size
            let positions = sequence.position + sequence.rows.count
            let cost = 2 * sequence.rows.count * positions * all.heads * layout.tile.keySize
            let pages = sequence.pages.map(\.address)
            pages.withUnsafeBufferPointer { pages in
                guard let pages = pages.baseAddress else { return }
                let run = { (index: Int) in
                    let (part, head) = index.quotientAndRemainder(dividingBy: layout.heads)
                    let first = sequence.rows.lowerBound + part * size
                    let rows = first..<min(first + size, sequence.rows.upperBound)
                    let position = sequence.position + first - sequence.rows.lowerBound
                    task(rows, position: position, keyValueHead: head, pages).run()
                }
                if cost < Self.smallestDivision {
                    for index in 0..<tiles * layout.heads { run(index) }
                } else {
                    ThreadPool.shared.run(tiles * layout.heads, run)
                }
            }
        }

        private func task(
            _ rows: Range<Int>, position: Int, keyValueHead: Int,
            _ pages: UnsafePointer<UnsafeRawPointer>
        ) -> AttentionTask {
            let tile = layout.tile
            let group = all.heads / layout.heads
            let first = rows.lowerBound * all.heads + keyValueHead * group
            return AttentionTask(
                tile: tile, pages: pages,
                offset: layout.offset(layer: layer, head: keyValueHead), position: position,
                rows: rows.count, heads: group, queries: queries + first * tile.keySize,
                queryStride: all.heads * tile.keySize, outputs: outputs + first * tile.valueSize,
                outputStride: all.heads * tile.valueSize, scale: all.scale,
                window: all.window ?? .max, sinks: sinks.map { $0 + keyValueHead * group })
        }
    }
}
