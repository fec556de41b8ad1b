/// Bytes that someone else owns (a mapped file, an array), kept alive as long as this view.
///
/// The bytes must not change while a view of them exists; that is what makes it `Sendable`.
package struct WeightBytes: @unchecked Sendable {
    private let owner: any AnyObject & Sendable
    private let start: UnsafeRawPointer
    /// The number of bytes.
    package let count: Int
    /// Whether the bytes are a mapped file's, which the system can drop and read again.
    let isMapped: Bool

    /// A view of `count` bytes from `start`, valid and unchanged as long as `owner` lives.
    ///
    /// - Parameter isMapped: whether they are a read-only mapping of a file.
    package init(
        owner: any AnyObject & Sendable, start: UnsafeRawPointer, count: Int,
        isMapped: Bool = false
    ) {
        precondition(count >= 0, "A view cannot have a negative size.")
        self.owner = owner
        self.start = start
        self.count = count
        self.isMapped = isMapped
    }

    /// A view of a copy of `bytes`.
    package init(_ bytes: [UInt8]) {
        let storage = ByteStorage(bytes)
        self.init(owner: storage, start: storage.start, count: bytes.count)
    }

    /// The bytes of `range`, without copying.
    package func slice(_ range: Range<Int>) -> WeightBytes {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count, "The range is outside the view.")
        return WeightBytes(
            owner: owner, start: start + range.lowerBound, count: range.count, isMapped: isMapped)
    }

    /// Calls `body` with the bytes, which are valid only until it returns.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(owner) {} }
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// A copy of the bytes of `range`.
    package func copyBytes(_ range: Range<Int>) -> [UInt8] {
        slice(range).withUnsafeBytes { Array($0) }
    }
}

/// Owns a copy of an array's bytes at a fixed address.
private final class ByteStorage: @unchecked Sendable {
    let start: UnsafeRawPointer

    init(_ bytes: [UInt8]) {
        // A cache line, so that vector loads of an array's blocks split as few lines as those of
        // a mapped file's.
        let copy = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
        UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyBytes(from: bytes)
        start = UnsafeRawPointer(copy)
    }

    deinit { start.deallocate() }
}
