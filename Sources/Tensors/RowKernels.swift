/// Scales each row to a root mean square of one and multiplies it by `weight`:
/// `x · weight / √(mean(x²) + epsilon)` (Zhang and Sennrich 2019, RMSNorm).
///
/// - Parameters:
///   - x: `[rows × columns]`.
///   - weight: `[columns]`.
package func rootMeanSquareNormalized(_ x: Matrix, weight: [Float], epsilon: Float) -> Matrix {
    Kernels.detected.rootMeanSquareNormalized(x, weight: weight, epsilon: epsilon)
}

/// Replaces `row` by `exp(row − max) / Σ exp(row − max)`. An empty row stays empty.
package func softmax(_ row: UnsafeMutableBufferPointer<Float>) {
    Kernels.detected.softmax(row)
}

/// `silu(gate) · up` elementwise, `[rows × inner]` each, with `silu(x) = x / (1 + exp(−x))`
/// (Shazeer 2020, SwiGLU).
package func swiGLU(gate: Matrix, up: Matrix) -> Matrix {
    Kernels.detected.swiGLU(gate: gate, up: up)
}

/// `Σ a[i] · b[i]` over `count` elements, summed in sixteen lanes.
package func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    Kernels.detected.dot(a, b, count: count)
}

/// `out[i] += scale · x[i]` over `count` elements, each rounded once (fused).
package func addScaledFused(
    _ out: UnsafeMutablePointer<Float>, _ scale: Float, _ x: UnsafePointer<Float>, count: Int
) {
    Kernels.detected.addScaledFused(out, scale, x, count: count)
}
