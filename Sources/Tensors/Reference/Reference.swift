/// The slow twins: every kernel once more as plain scalar Swift, in the same order of operations.
/// Tests assert that the kernels compute these bits.
enum Reference {
    /// Σ a · b in sixteen lanes: both are padded with zeros to a multiple of 16; lane j takes
    /// elements i ≡ j (mod 16) in sequence, each with one rounding; then lanes j and j + 8 are
    /// added, j and j + 4, j and j + 2, j and j + 1.
    static func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        var lanes = SIMD16<Float>(repeating: 0)
        for index in 0..<(count + 15) / 16 * 16 {
            // The padding matters only where a lane is −0.
            let product = index < count ? (a[index], b[index]) : (0, 0)
            lanes[index % 16] = lanes[index % 16].addingProduct(product.0, product.1)
        }
        return sum(lanes)
    }

    /// The sum of sixteen lanes as a tree.
    static func sum(_ lanes: SIMD16<Float>) -> Float {
        let eight = lanes.lowHalf + lanes.highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }

    /// out[i] += scale · x[i], rounded once.
    static func addScaledFused(
        _ out: UnsafeMutablePointer<Float>, _ scale: Float, _ x: UnsafePointer<Float>, count: Int
    ) {
        for index in 0..<count { out[index] = out[index].addingProduct(scale, x[index]) }
    }

    /// e^x: x = n · ln 2 + r with the nearest integer n (Cody and Waite), a polynomial for e^r
    /// (Cephes' coefficients), and the power of two in two exact steps so that subnormal results
    /// are rounded once.
    static func exp(_ x: Float) -> Float {
        guard !x.isNaN else { return x }
        let clamped = max(min(x, 89), -104)
        let rounder: Float = 0x1.8p23  // adding it rounds to the nearest integer
        let count = rounder.addingProduct(clamped, 0x1.715476p+0) - rounder
        var remainder = clamped.addingProduct(-count, 0.693359375)
        remainder = remainder.addingProduct(-count, -2.12194440e-4)
        var polynomial: Float = 1.9875691500e-4
        for coefficient: Float in [
            1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1, 1,
        ] { polynomial = coefficient.addingProduct(polynomial, remainder) }
        let half = Int(count) >> 1
        return polynomial * power(half) * power(Int(count) - half)
    }

    private static func power(_ exponent: Int) -> Float {
        Float(bitPattern: UInt32(exponent + 127) << 23)
    }

    /// See `softmax(_:)`; the sum is in sixteen lanes as in `dot`.
    static func softmax(_ row: UnsafeMutableBufferPointer<Float>) {
        guard let largest = row.max() else { return }
        var lanes = SIMD16<Float>(repeating: 0)
        for index in row.indices {
            row[index] = exp(row[index] - largest)
            lanes[index % 16] += row[index]
        }
        let reciprocal = 1 / sum(lanes)
        for index in row.indices { row[index] *= reciprocal }
    }

    /// See `swiGLU(gate:up:)`.
    static func swiGLU(gate: Matrix, up: Matrix) -> Matrix {
        let values = zip(gate.values, up.values).map { gate, up in
            gate / (1 + exp(-gate)) * up
        }
        return Matrix(rows: gate.rows, columns: gate.columns, values: values)
    }

    /// See `rootMeanSquareNormalized(_:weight:epsilon:)`: (x · (1 / √…)) · weight.
    static func rootMeanSquareNormalized(
        _ x: Matrix, weight: [Float], epsilon: Float
    ) -> Matrix {
        var result = x
        for row in 0..<x.rows {
            let squares = Array(x.row(row)).withUnsafeBufferPointer {
                $0.baseAddress.map { dot($0, $0, count: x.columns) } ?? 0
            }
            let scale = 1 / (squares / Float(x.columns) + epsilon).squareRoot()
            for column in 0..<x.columns {
                result[row, column] = x[row, column] * scale * weight[column]
            }
        }
        return result
    }
}
