/// Multiplies weights by input rows: `out[t, r] = Σ_c weights[r, c] · inputs[t, c]`.
///
/// Q8_0, Q4_0, Q4_K, Q5_K, Q6_K and MXFP4 weights are multiplied by the inputs' 8-bit form, all
/// others by the fp32 inputs.
/// Each output is summed in one order (Sources/CKernels/include/CKernels.h), whatever the
/// instruction set and the number of inputs, so its bits depend on the weights and its input alone.
///
/// - Parameters:
///   - weights: `[rows × columns]`.
///   - inputs: `[tokens × columns]`.
/// - Returns: `[tokens × rows]`.
/// - Complexity: O(tokens × rows × columns); reads the weights from memory once.
package func product(_ weights: QuantizedMatrix, _ inputs: Activations) -> Matrix {
    Kernels.detected.product(weights, inputs)
}
