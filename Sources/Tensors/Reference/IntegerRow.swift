/// One row of quantised weights as integers, scales and minimums: what the products of the formats
/// that are multiplied as integers compute with.
struct IntegerRow {
    /// 32 columns.
    private struct Block {
        var quants: [Int32] = []
        var scale: Float = 0
        /// What is subtracted from every weight.
        var minimum: Float?
        /// The integer scales of the two halves.
        var halves: (Int32, Int32) = (1, 1)
    }

    private var blocks: [Block] = []

    /// Nil where the format is multiplied as fp32.
    init?(_ weights: QuantizedMatrix, _ row: Int) {
        let bytes = Array(weights.rows(row..<row + 1).bytes.copyBytes(0..<weights.bytesPerRow))
        for start in stride(from: 0, to: bytes.count, by: weights.format.bytesPerBlock) {
            let stored = Array(bytes[start..<start + weights.format.bytesPerBlock])
            switch weights.format {
            case .q8_0: blocks.append(Self.q8_0(stored))
            case .q4_0: blocks.append(Self.q4_0(stored))
            case .mxfp4: blocks.append(Self.mxfp4(stored))
            case .q4_K: blocks += Self.groups(stored, quants: 16, fifth: nil)
            case .q5_K: blocks += Self.groups(stored, quants: 48, fifth: 16)
            case .q6_K: blocks += Self.q6_K(stored)
            default: return nil
            }
        }
    }

    /// Blocks in sequence: acc = fma(weight scale · input scale, Float(Σ q · q), acc), and with
    /// minimums acc = fma(minimum · input scale, Float(−Σ q), acc).
    func dot(_ inputs: QuantizedRows, _ token: Int) -> Float {
        var sum: Float = 0
        for (index, block) in blocks.enumerated() {
            let position = token * blocks.count + index
            let x = inputs.quants[position * 32..<position * 32 + 32].map { Int32($0) }
            let products = zip(block.quants, x).map { $0 * $1 }
            let first = products[..<16].reduce(0, +) * block.halves.0
            let second = products[16...].reduce(0, +) * block.halves.1
            let scale = inputs.scales[position]
            sum = sum.addingProduct(block.scale * scale, Float(first + second))
            if let minimum = block.minimum {
                sum = sum.addingProduct(minimum * scale, Float(-x.reduce(0, +)))
            }
        }
        return sum
    }

    private static func half(_ bytes: [UInt8], _ start: Int) -> Float {
        F16.float(UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8)
    }

    private static func q8_0(_ bytes: [UInt8]) -> Block {
        Block(
            quants: bytes[2...].map { Int32(Int8(bitPattern: $0)) }, scale: half(bytes, 0))
    }

    private static func q4_0(_ bytes: [UInt8]) -> Block {
        let levels = bytes[2...].map { $0 & 15 } + bytes[2...].map { $0 >> 4 }
        return Block(quants: levels.map { Int32($0) - 8 }, scale: half(bytes, 0))
    }

    /// Twice the E2M1 numbers, and half the scale.
    private static func mxfp4(_ bytes: [UInt8]) -> Block {
        let levels = bytes[1...].map { $0 & 15 } + bytes[1...].map { $0 >> 4 }
        let magnitudes: [Int32] = [0, 1, 2, 3, 4, 6, 8, 12]
        let quants = levels.map { $0 < 8 ? magnitudes[Int($0)] : -magnitudes[Int($0) - 8] }
        let bits = bytes[0] < 2 ? 0x0020_0000 << UInt32(bytes[0]) : UInt32(bytes[0] - 1) << 23
        return Block(quants: quants, scale: Float(bitPattern: bits))
    }

    /// The eight blocks of a Q4_K or Q5_K block: 4-bit quants from byte `quants` on, their fifth
    /// bits from `fifth` on.
    private static func groups(_ bytes: [UInt8], quants start: Int, fifth: Int?) -> [Block] {
        (0..<8).map { group in
            let packed = Array(bytes[4..<16])
            let (scale, minimum): (UInt8, UInt8) =
                group < 4
                ? (packed[group] & 63, packed[group + 4] & 63)
                : (
                    packed[group + 4] & 15 | (packed[group - 4] >> 6) << 4,
                    packed[group + 4] >> 4 | (packed[group] >> 6) << 4
                )
            let quants = (0..<32).map { column in
                let low = bytes[start + group / 2 * 32 + column] >> UInt8(group % 2 * 4) & 15
                let high = fifth.map { bytes[$0 + column] >> UInt8(group) & 1 } ?? 0
                return Int32(low | high << 4)
            }
            return Block(
                quants: quants, scale: half(bytes, 0) * Float(scale),
                minimum: half(bytes, 2) * Float(minimum))
        }
    }

    private static func q6_K(_ bytes: [UInt8]) -> [Block] {
        (0..<8).map { group in
            let quants = (0..<32).map { column in
                let low = bytes[group / 4 * 64 + group % 2 * 32 + column]
                let high = bytes[128 + group / 4 * 32 + column] >> UInt8(group % 4 * 2) & 3
                return Int32(low >> UInt8(group % 4 / 2 * 4) & 15 | high << 4) - 32
            }
            let scales = bytes[192...].dropFirst(2 * group).prefix(2).map {
                Int32(Int8(bitPattern: $0))
            }
            return Block(
                quants: quants, scale: half(bytes, 208), halves: (scales[0], scales[1]))
        }
    }
}
