import Tensors

/// What an expert does between its two layers of weights.
package enum ExpertActivation: Sendable, Equatable, Codable {
    /// `silu(gate) · up` (Shazeer 2020).
    case swiGLU
    /// `g · σ(alpha · g) · (u + 1)` with `g = min(gate, limit)` and `u` within ± `limit` (gpt-oss).
    case clampedSwiGLU(alpha: Float, limit: Float)

    /// The activation as a device is told of it: "swiglu" or "clamped-swiglu:ALPHA:LIMIT".
    package var name: String {
        switch self {
        case .swiGLU: "swiglu"
        case .clampedSwiGLU(let alpha, let limit): "clamped-swiglu:\(alpha):\(limit)"
        }
    }

    /// The activation of that name; nil for an unknown one.
    package init?(name: String) {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        if name == "swiglu" {
            self = .swiGLU
        } else if parts.count == 3, parts[0] == "clamped-swiglu", let alpha = Float(parts[1]),
            let limit = Float(parts[2]), alpha.isFinite, alpha != 0, limit > 0
        {
            self = .clampedSwiGLU(alpha: alpha, limit: limit)
        } else {
            return nil
        }
    }

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
