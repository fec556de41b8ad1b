/// One product among those that threads divide: some rows of the inputs, all rows of the weights.
struct ProductTask {
    let weights: QuantizedMatrix
    /// Rows of the inputs.
    let inputs: Range<Int>
    /// `[inputs × weights.rows]`, written.
    let out: UnsafeMutablePointer<Float>

    init(
        _ weights: QuantizedMatrix, _ all: Activations, _ inputs: Range<Int>,
        out: UnsafeMutablePointer<Float>
    ) {
        precondition(
            inputs.lowerBound >= 0 && inputs.upperBound <= all.rows,
            "The rows are outside the inputs.")
        self.weights = weights
        self.inputs = inputs
        self.out = out
    }

    /// Multiplications and additions.
    var cost: Int { weights.rows * weights.columns * inputs.count }
}

/// Computes `tasks`, all of the same inputs, on the pool's threads.
func compute(_ tasks: [ProductTask], _ inputs: Activations) {
    let pool = ThreadPool.shared
    let kernels = Kernels.detected
    // Below this (some 30 µs of work) dividing saves little, and on a busy machine waiting for a
    // worker that lost its processor in a chunk costs more.
    let smallest = 1 << 20
    let cost = pool.threads == 1 ? 0 : tasks.reduce(0) { $0 + $1.cost }
    guard cost >= smallest else {
        for task in tasks { kernels.multiply(task, inputs) }
        return
    }
    // Several chunks a thread: a late thread then delays the end by no more than one of them.
    let chunks = chunks(of: tasks, costing: max(smallest / 16, cost / (4 * pool.threads)))
    pool.run(chunks.count) { index in
        let chunk = chunks[index]
        kernels.multiply(tasks[chunk.task], inputs, rows: chunk.rows)
    }
}

private struct ProductChunk {
    let task: Int
    let rows: Range<Int>
}

/// The tasks' rows in parts of about `cost`, each a whole number of the kernels' groups of rows.
private func chunks(of tasks: [ProductTask], costing cost: Int) -> [ProductChunk] {
    let group = 32
    var chunks: [ProductChunk] = []
    for (index, task) in tasks.enumerated() {
        let rowCost = max(1, task.weights.columns * task.inputs.count)
        let rows = max(group, cost / rowCost / group * group)
        for first in stride(from: 0, to: task.weights.rows, by: rows) {
            chunks.append(
                ProductChunk(task: index, rows: first..<min(first + rows, task.weights.rows)))
        }
    }
    return chunks
}

/// Appends matrices of those shapes to `outputs`, all elements written by one call of `body`, which
/// gets where they start, also if there are none.
func withOutputs(
    _ shapes: [(rows: Int, columns: Int)], into outputs: inout [Matrix],
    _ pointers: [UnsafeMutablePointer<Float>] = [],
    _ body: ([UnsafeMutablePointer<Float>]) -> Void
) {
    guard pointers.count < shapes.count else { return body(pointers) }
    let shape = shapes[pointers.count]
    var later: [Matrix] = []
    let count = shape.rows * shape.columns
    let values = [Float](unsafeUninitializedCapacity: max(1, count)) { output, initialized in
        if let start = output.baseAddress {
            withOutputs(shapes, into: &later, pointers + [start], body)
        }
        initialized = count
    }
    outputs.append(Matrix(rows: shape.rows, columns: shape.columns, values: values))
    outputs += later
}
