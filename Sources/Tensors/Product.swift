/// Multiplies weights by input rows: `out[t, r] = Σ_c weights[r, c] · inputs[t, c]`.
///
/// Q8_0, Q4_0, Q4_K, Q5_K, Q6_K and MXFP4 weights are multiplied by the inputs' 8-bit form, all
/// others by the fp32 inputs.
/// Each output is summed in one order (Sources/CKernels/include/CKernels.h), whatever the
/// instruction set, the number of inputs and the number of threads, so its bits depend on the
/// weights and its input alone.
///
/// - Parameters:
///   - weights: `[rows × columns]`.
///   - inputs: `[tokens × columns]`.
/// - Returns: `[tokens × rows]`.
/// - Complexity: O(tokens × rows × columns); reads the weights from memory once.
package func product(_ weights: QuantizedMatrix, _ inputs: Activations) -> Matrix {
    Matrix.uninitialized(rows: inputs.rows, columns: weights.rows) {
        compute([ProductTask(weights, inputs, 0..<inputs.rows, out: $0)], inputs)
    }
}

/// The products of several matrices with the same inputs, in one division among threads.
///
/// - Returns: for each of `weights` what `product` returns.
package func products(_ weights: [QuantizedMatrix], _ inputs: Activations) -> [Matrix] {
    var outputs: [Matrix] = []
    outputs.reserveCapacity(weights.count)
    var tasks: [ProductTask] = []
    tasks.reserveCapacity(weights.count)
    withOutputs(weights.map { (inputs.rows, $0.rows) }, into: &outputs) { pointers in
        for (matrix, out) in zip(weights, pointers) {
            tasks.append(ProductTask(matrix, inputs, 0..<inputs.rows, out: out))
        }
        compute(tasks, inputs)
    }
    return outputs
}

/// Some rows of the inputs and the weights that they are multiplied by.
package struct ProductGroup: Sendable {
    /// `[outputs × columns]`
    package let weights: QuantizedMatrix
    /// Rows of the inputs.
    package let rows: Range<Int>

    package init(_ weights: QuantizedMatrix, rows: Range<Int>) {
        self.weights = weights
        self.rows = rows
    }
}

/// Products of different rows with different weights, in one division among threads.
///
/// - Parameter lists: each is a list of groups, in the order of its output's rows; its groups'
///   weights all have one number of rows. Groups may share rows of the inputs.
/// - Returns: for each list its groups' products, `[Σ group rows × outputs]`.
package func groupedProducts(
    _ lists: [[ProductGroup]], _ inputs: Activations
) -> [Matrix] {
    var outputs: [Matrix] = []
    outputs.reserveCapacity(lists.count)
    let shapes = lists.map { groups in
        (groups.reduce(0) { $0 + $1.rows.count }, groups.first?.weights.rows ?? 0)
    }
    withOutputs(shapes, into: &outputs) { pointers in
        var tasks: [ProductTask] = []
        for ((groups, shape), start) in zip(zip(lists, shapes), pointers) {
            var out = start
            for group in groups {
                precondition(group.weights.rows == shape.1, "a list's outputs have one width")
                tasks.append(ProductTask(group.weights, inputs, group.rows, out: out))
                out += group.rows.count * shape.1
            }
        }
        compute(tasks, inputs)
    }
    return outputs
}
