import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A copy of a file's bytes in anonymous memory that asks for huge pages; unmapped when it goes.
///
/// With pages of 2 MiB the processor looks addresses up 512 times less often than with 4 KiB, which
/// is what bounds how fast weights are read. The copy is this process's own: other processes do not
/// share it, and the system cannot drop it and read it again.
final class HugePageCopy: @unchecked Sendable {
    /// The size of a huge page on x86-64 and on ARM with 4 KiB pages, in bytes.
    private static let pageBytes = 2 << 20

    /// The copy; valid as long as this object lives, and never changed.
    let bytes: UnsafeRawBufferPointer
    private let mapping: UnsafeMutableRawBufferPointer

    /// Copies `source`, a mapped file from its first byte, which may go afterwards.
    ///
    /// Where the system has no huge pages to give, the pages are ordinary ones.
    ///
    /// - Throws: `cannotOpen` with the system's reason if there is no memory for the copy.
    /// - Complexity: O(bytes); reads the whole file.
    init(_ source: UnsafeRawBufferPointer, file: String) throws(ModelFileError) {
        // Room to start at a huge page's boundary, and to end at one.
        let room = source.count + 2 * Self.pageBytes
        guard
            let start = mmap(
                nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else {
            throw ModelFileError(
                .cannotOpen, file: file,
                "no memory for a copy of \(source.count) bytes: "
                    + "\(String(cString: strerror(errno))); --load mapped needs none")
        }
        mapping = UnsafeMutableRawBufferPointer(start: start, count: room)
        let skipped = (Self.pageBytes - Int(bitPattern: start) % Self.pageBytes) % Self.pageBytes
        let first = start + skipped
        #if canImport(Glibc) || canImport(Musl)
            // Advice: a system that does not take it has given ordinary pages.
            _ = madvise(first, room - skipped, MADV_HUGEPAGE)
        #endif
        Self.copy(source, to: first)
        _ = mprotect(start, room, PROT_READ)
        bytes = UnsafeRawBufferPointer(start: first, count: source.count)
    }

    /// Piece by piece, letting each piece of the mapped file go, so that no more than the file's
    /// size is ever resident.
    private static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
        let piece = 16 * pageBytes
        for first in stride(from: 0, to: source.count, by: piece) {
            let bytes = UnsafeRawBufferPointer(
                rebasing: source[first..<min(first + piece, source.count)])
            guard let start = bytes.baseAddress else { return }
            (target + first).copyMemory(from: start, byteCount: bytes.count)
            #if canImport(Glibc) || canImport(Musl)
                let page = UnsafeMutableRawPointer(mutating: start)
                // A read-only mapping loses nothing: its pages would be read from the file again.
                _ = madvise(page, bytes.count, MADV_DONTNEED)
            #endif
        }
    }

    deinit { munmap(mapping.baseAddress, mapping.count) }
}
