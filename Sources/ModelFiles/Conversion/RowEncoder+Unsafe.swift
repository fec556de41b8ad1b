import Dispatch
import Tensors

/// Turns rows of a matrix into the bytes of another format, on several threads.
///
/// A row's bytes depend on that row alone, so that neither the number of threads nor how the work
/// is cut changes them.
struct RowEncoder {
    let matrix: QuantizedMatrix
    let source: RowSource
    let format: BlockFormat

    /// What a range of rows became.
    struct Encoded {
        var bytes: [UInt8]
        /// Numbers that plain formats (fp16, bf16) could not hold exactly.
        var rounded = 0
    }

    /// Why a row cannot be stored, with the number at fault.
    struct Failure: Error {
        let value: Float
    }

    /// Threads share a range of rows by this many shares each, to end together.
    private static let sharesPerThread = 2

    /// The rows of `range` in `format`.
    ///
    /// - Throws: `Failure` for a number that is not finite or too large for the format.
    /// - Complexity: O(numbers), memory of the result and a row per share.
    func encode(_ range: Range<Int>, threads: Int) throws(Failure) -> Encoded {
        let bytesPerRow = format.byteCount(elements: matrix.columns)
        let shares = max(1, min(range.count, threads * Self.sharesPerThread))
        var rounded = [Int](repeating: 0, count: shares)
        var wrong = [Float?](repeating: nil, count: shares)
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count * bytesPerRow) {
            target, initialized in
            let all = Shared(UnsafeMutableRawBufferPointer(target))
            rounded.withUnsafeMutableBufferPointer { rounded in
                wrong.withUnsafeMutableBufferPointer { wrong in
                    let (roundedOut, wrongOut) = (Shared(rounded), Shared(wrong))
                    DispatchQueue.concurrentPerform(iterations: shares) { share in
                        let first = range.count * share / shares
                        let end = range.count * (share + 1) / shares
                        var work = Work(columns: matrix.columns)
                        for row in first..<end where work.wrong == nil {
                            let place = row * bytesPerRow..<(row + 1) * bytesPerRow
                            encode(
                                range.lowerBound + row,
                                UnsafeMutableRawBufferPointer(rebasing: all.buffer[place]), &work)
                        }
                        roundedOut.buffer[share] = work.rounded
                        wrongOut.buffer[share] = work.wrong
                    }
                }
            }
            initialized = range.count * bytesPerRow
        }
        if let value = wrong.lazy.compactMap(\.self).first { throw Failure(value: value) }
        return Encoded(bytes: bytes, rounded: rounded.reduce(0, +))
    }

    /// One share's numbers.
    private struct Work {
        var row: [Float]
        var again: [Float]
        var rounded = 0
        var wrong: Float?

        init(columns: Int) {
            row = [Float](repeating: 0, count: columns)
            again = []
        }
    }

    /// A buffer of which each share touches a part of its own.
    private struct Shared<Buffer>: @unchecked Sendable {
        let buffer: Buffer

        init(_ buffer: Buffer) { self.buffer = buffer }
    }

    private func encode(_ index: Int, _ target: UnsafeMutableRawBufferPointer, _ work: inout Work) {
        let bytesPerRow = matrix.bytesPerRow
        let start = source.origin(of: index) * bytesPerRow
        matrix.bytes.withUnsafeBytes { bytes in
            let stored = UnsafeRawBufferPointer(rebasing: bytes[start..<start + bytesPerRow])
            guard matrix.format != format else { return target.copyMemory(from: stored) }
            work.row.withUnsafeMutableBufferPointer { matrix.format.dequantize(stored, into: $0) }
            work.wrong = work.row.first { !fits($0) }
            guard work.wrong == nil else { return }
            work.row.withUnsafeBufferPointer { format.quantize($0, into: target) }
        }
        guard work.wrong == nil, format == .f16 || format == .bf16 else { return }
        if work.again.isEmpty { work.again = work.row }
        work.again.withUnsafeMutableBufferPointer {
            format.dequantize(UnsafeRawBufferPointer(target), into: $0)
        }
        for (value, stored) in zip(work.row, work.again) where value != stored {
            work.rounded += 1
        }
    }

    /// Whether the format can hold a number: half precision, in which scales are stored too, ends
    /// at 65504.
    private func fits(_ value: Float) -> Bool {
        format == .f32 || format == .bf16
            ? value.isFinite : value.magnitude <= BlockFormat.largestMagnitude
    }
}
