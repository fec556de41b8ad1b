// The conversion loops. Callers guarantee the sizes: `values` and `target` of one shape, the bytes
// as many as `byteCount(rows:columns:)` says. Hosts are little-endian, like the wire.
#if _endian(big)
    #error("martlet's wire format is little-endian and is copied without swapping")
#endif

private typealias Lanes = SIMD8<Float>
private typealias Bits = SIMD8<Int32>

extension ActivationCodec {
    func encode(
        _ values: UnsafeBufferPointer<Float>, columns: Int, to target: UnsafeMutableRawBufferPointer
    ) throws(WireError) {
        switch self {
        case .fp32:
            target.copyMemory(from: UnsafeRawBufferPointer(values))
        case .fp16:
            encodeHalves(values, to: target)
        case .int8:
            let stride = columns + 4
            for row in 0..<(values.count / max(columns, 1)) {
                try encodeRow(
                    row, UnsafeBufferPointer(rebasing: values[row * columns..<(row + 1) * columns]),
                    to: UnsafeMutableRawBufferPointer(
                        rebasing: target[row * stride..<(row + 1) * stride]))
            }
        }
    }

    func decode(
        _ source: UnsafeRawBufferPointer, columns: Int, to target: UnsafeMutableBufferPointer<Float>
    ) throws(WireError) {
        switch self {
        case .fp32:
            UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        case .fp16:
            decodeHalves(source, to: target)
        case .int8:
            let stride = columns + 4
            for row in 0..<(target.count / max(columns, 1)) {
                try decodeRow(
                    row,
                    UnsafeRawBufferPointer(rebasing: source[row * stride..<(row + 1) * stride]),
                    to: UnsafeMutableBufferPointer(
                        rebasing: target[row * columns..<(row + 1) * columns]))
            }
        }
    }
}

// MARK: - fp16

private func encodeHalves(
    _ values: UnsafeBufferPointer<Float>, to target: UnsafeMutableRawBufferPointer
) {
    forEachEight(of: values) { lanes, start, count in
        let halves = halfBits(lanes)
        if count == 8 {
            target.storeBytes(of: halves, toByteOffset: 2 * start, as: SIMD8<UInt16>.self)
        } else {
            for lane in 0..<count {
                target.storeBytes(
                    of: halves[lane], toByteOffset: 2 * (start + lane), as: UInt16.self)
            }
        }
    }
}

private func decodeHalves(
    _ source: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>
) {
    let raw = UnsafeMutableRawBufferPointer(target)
    for start in stride(from: 0, to: target.count, by: 8) {
        let count = min(8, target.count - start)
        var halves = SIMD8<UInt16>.zero
        if count == 8 {
            halves = source.loadUnaligned(fromByteOffset: 2 * start, as: SIMD8<UInt16>.self)
            raw.storeBytes(of: floats(halves), toByteOffset: 4 * start, as: Lanes.self)
        } else {
            for lane in 0..<count {
                halves[lane] = source.loadUnaligned(
                    fromByteOffset: 2 * (start + lane), as: UInt16.self)
            }
            let lanes = floats(halves)
            for lane in 0..<count {
                target[start + lane] = lanes[lane]
            }
        }
    }
}

/// binary32 → binary16, round to nearest even, in integer arithmetic.
private func halfBits(_ lanes: Lanes) -> SIMD8<UInt16> {
    let bits = unsafeBitCast(lanes, to: Bits.self)
    let magnitude = bits & 0x7FFF_FFFF
    // Normal: the exponent's bias goes from 127 to 15, and adding just under half a unit (a full
    // half for odd mantissas) rounds to nearest even; a carry rightly moves into the exponent.
    let isOdd = (magnitude &>> 13) & 1
    let normal = (magnitude &- (112 << 23) &+ 0xFFF &+ isOdd) &>> 13
    // Subnormal (below 2⁻¹⁴): the unit of 0.5 is 2⁻²⁴, the smallest half, so this addition rounds.
    let aligned = unsafeBitCast(magnitude, to: Lanes.self) + 0.5
    let subnormal = unsafeBitCast(aligned, to: Bits.self) &- 0x3F00_0000
    var half = choose(magnitude, below: 113 << 23, subnormal, normal)
    half = choose(magnitude, below: 0x477F_F000, half, Bits(repeating: 0x7BFF))  // 65520
    half = choose(magnitude, below: 0x7F80_0000, half, Bits(repeating: 0x7C00))
    half = choose(magnitude, below: 0x7F80_0001, half, Bits(repeating: 0x7E00))
    let sign = (bits &>> 16) & 0x8000
    return SIMD8<UInt16>(truncatingIfNeeded: half | sign)
}

/// binary16 → binary32, exact.
private func floats(_ halves: SIMD8<UInt16>) -> Lanes {
    let bits = Bits(truncatingIfNeeded: halves)
    let magnitude = (bits & 0x7FFF) &<< 13
    let normal = magnitude &+ (112 << 23)
    // A subnormal half is mantissa × 2⁻²⁴: put it under the exponent of 2⁻¹⁴ and subtract 2⁻¹⁴.
    let smallest = Bits(repeating: 113 << 23)
    let subnormal =
        unsafeBitCast(magnitude | smallest, to: Lanes.self)
        - unsafeBitCast(smallest, to: Lanes.self)
    var result = choose(magnitude, below: 1 << 23, unsafeBitCast(subnormal, to: Bits.self), normal)
    result = choose(magnitude, below: 31 << 23, result, normal &+ (112 << 23))
    return unsafeBitCast(result | ((bits & 0x8000) &<< 16), to: Lanes.self)
}

/// Per lane `yes` where `value < limit`, else `no`; value and limit are not negative. The
/// comparison is a subtraction and a shift: `replace(with:where:)` is not vectorised and made
/// encoding 37 times slower (Swift 6.3).
@inline(__always)
private func choose(_ value: Bits, below limit: Int32, _ yes: Bits, _ no: Bits) -> Bits {
    let isBelow = (value &- limit) &>> 31
    return no ^ ((no ^ yes) & isBelow)
}

// MARK: - int8

/// Under this a row becomes zeros: its scale would be subnormal and its inverse infinite.
private let smallestMagnitude = 127 * Float.leastNormalMagnitude
/// Added to |x| < 2²², it leaves x rounded to the nearest even integer in the low bits.
private let roundingShift: Float = 12_582_912

private func encodeRow(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, to target: UnsafeMutableRawBufferPointer
) throws(WireError) {
    var largest = Bits.zero
    forEachEight(of: values) { lanes, _, _ in
        largest = pointwiseMax(largest, unsafeBitCast(lanes, to: Bits.self) & 0x7FFF_FFFF)
    }
    let magnitude = Float(bitPattern: UInt32(truncatingIfNeeded: largest.max()))
    guard magnitude.isFinite else {
        throw WireError(
            .nonFinite, "activations: row \(row) is not finite; int8 cannot carry it, fp32 can")
    }
    let isZero = magnitude < smallestMagnitude
    target.storeBytes(of: isZero ? 0 : magnitude / 127, as: Float.self)
    let inverse = isZero ? 0 : 127 / magnitude
    forEachEight(of: values) { lanes, start, count in
        let rounded = unsafeBitCast(lanes * inverse + roundingShift, to: Bits.self)
        let integers = SIMD8<UInt8>(truncatingIfNeeded: rounded)
        if count == 8 {
            target.storeBytes(of: integers, toByteOffset: 4 + start, as: SIMD8<UInt8>.self)
        } else {
            for lane in 0..<count {
                target[4 + start + lane] = integers[lane]
            }
        }
    }
}

private func decodeRow(
    _ row: Int, _ source: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>
) throws(WireError) {
    let scale = source.loadUnaligned(as: Float.self)
    guard scale.isFinite, scale >= 0 else {
        throw WireError(.invalid, "activations: the scale of row \(row) is \(scale)")
    }
    let raw = UnsafeMutableRawBufferPointer(target)
    let whole = target.count & ~7
    for start in stride(from: 0, to: whole, by: 8) {
        let integers = source.loadUnaligned(fromByteOffset: 4 + start, as: SIMD8<Int8>.self)
        raw.storeBytes(
            of: Lanes(Bits(truncatingIfNeeded: integers)) * scale, toByteOffset: 4 * start,
            as: Lanes.self)
    }
    for index in whole..<target.count {
        target[index] = Float(Int8(bitPattern: source[4 + index])) * scale
    }
}

// MARK: - Eight at a time

/// Calls `body(lanes, start, count)` for each eight values; the last lanes are padded with zeros.
@inline(__always)
private func forEachEight(
    of values: UnsafeBufferPointer<Float>, _ body: (Lanes, Int, Int) -> Void
) {
    let raw = UnsafeRawBufferPointer(values)
    let whole = values.count & ~7
    for start in stride(from: 0, to: whole, by: 8) {
        body(raw.loadUnaligned(fromByteOffset: 4 * start, as: Lanes.self), start, 8)
    }
    guard whole < values.count else { return }
    var lanes = Lanes.zero
    for index in whole..<values.count {
        lanes[index - whole] = values[index]
    }
    body(lanes, whole, values.count - whole)
}
