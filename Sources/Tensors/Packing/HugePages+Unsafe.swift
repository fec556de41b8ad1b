import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
/// Memory of this process that asks for pages of 2 MiB, given out piece by piece; a piece that
/// nobody views any more is given out again.
///
/// With huge pages the processor looks addresses up 512 times less often than with those of 4 KiB.
/// Where the system has none to give, the pages are ordinary ones.
package final class HugePages: Sendable {
    /// The size of a huge page on x86-64, and on Arm with ordinary pages of 4 KiB, in bytes.
    private static let pageBytes = 2 << 20
    /// Bytes that are asked for at a time; larger pieces get a region of their own size.
    private static let regionBytes = 64 << 20
    /// A cache line: where pieces start.
    private static let alignment = 64

    private struct State {
        var current: (region: Region, used: Int)?
        /// Pieces that were given back, by their size.
        var free: [Int: [Place]] = [:]
    }

    private struct Place {
        let region: Region
        let offset: Int
    }

    private let state = Mutex(State())

    package init() {}

    /// A piece of `count` bytes, which `fill` writes, all of them, before anyone reads them.
    ///
    /// - Throws: `HugePageError` if the system has no memory left.
    func bytes(
        _ count: Int, fill: (UnsafeMutableRawPointer) -> Void
    ) throws(HugePageError) -> WeightBytes {
        let place = try place(for: count)
        let start = place.region.start + place.offset
        fill(start)
        let piece = Piece { [self] in
            state.withLock { $0.free[count, default: []].append(place) }
        }
        return WeightBytes(owner: piece, start: UnsafeRawPointer(start), count: count)
    }

    private func place(for count: Int) throws(HugePageError) -> Place {
        try state.withLock { state throws(HugePageError) in
            if let place = state.free[count]?.popLast() { return place }
            if let (region, used) = state.current, used + count <= region.count {
                state.current = (region, Self.roundUp(used + count, to: Self.alignment))
                return Place(region: region, offset: used)
            }
            let size = max(Self.regionBytes, Self.roundUp(count, to: Self.pageBytes))
            guard let region = Region(size, alignment: Self.pageBytes) else {
                throw HugePageError(bytes: size)
            }
            state.current = (region, Self.roundUp(count, to: Self.alignment))
            return Place(region: region, offset: 0)
        }
    }

    private static func roundUp(_ count: Int, to multiple: Int) -> Int {
        (count + multiple - 1) / multiple * multiple
    }
}

/// The system gives no more memory.
package struct HugePageError: Error {
    /// What was asked for.
    package let bytes: Int
}

/// What a view of a piece keeps alive.
private final class Piece: Sendable {
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { giveBack() }
}

/// One mapping, from a huge page's boundary on.
private final class Region: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    let count: Int
    private let mapping: UnsafeMutableRawBufferPointer

    init?(_ count: Int, alignment: Int) {
        let room = count + alignment
        guard
            let address = mmap(
                nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            address != MAP_FAILED
        else { return nil }
        mapping = UnsafeMutableRawBufferPointer(start: address, count: room)
        self.count = count
        start = address.alignedUp(toMultipleOf: alignment)
        #if canImport(Glibc) || canImport(Musl)
            // Advice: a system that does not take it has given ordinary pages.
            _ = madvise(start, count, MADV_HUGEPAGE)
        #endif
    }

    deinit { munmap(mapping.baseAddress, mapping.count) }
}
