import Tensors

/// What an expert does between its two layers of weights.
package enum ExpertActivation: Sendable, Equatable, Codable {
    /// `silu(gate) · up` (Shazeer 2020).
    case swiGLU
    /// `g · σ(alpha · g) · (u + 1)` with `g = min(gate, limit)` and `u` within ± `limit` (gpt-oss).
    case clampedSwiGLU(alpha: Float, limit: Float)

    /// `[tokens × inner]` of `[tokens × inner]` each.
    func apply(gate: Matrix, up: Matrix) -> Matrix {
        switch self {
        case .swiGLU: return Tensors.swiGLU(gate: gate, up: up)
        case .clampedSwiGLU(let alpha, let limit):
            // g · σ(α g) · (u + 1) = silu(α g) · (u + 1) / α: the one kernel serves both.
            let gates = gate.values.map { alpha * min($0, limit) }
            let ups = up.values.map { (min(max($0, -limit), limit) + 1) / alpha }
            return Tensors.swiGLU(
                gate: Matrix(rows: gate.rows, columns: gate.columns, values: gates),
                up: Matrix(rows: up.rows, columns: up.columns, values: ups))
        }
    }
}
