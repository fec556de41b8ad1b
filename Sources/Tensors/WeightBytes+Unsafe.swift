#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension WeightBytes {
    /// Linux reads at most a disk's largest request for each time it is asked.
    private static let fetchedBytes = 512 << 10

    /// Asks the system to read these bytes from their file soon, if they are mapped and not in
    /// memory. Does not wait for them; bytes that are no mapped file's stay as they are.
    package func fetch() {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return }
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let first = UnsafeMutableRawPointer(mutating: start.alignedDown(toMultipleOf: page))
            let count = start + bytes.count - UnsafeRawPointer(first)
            for piece in stride(from: 0, to: count, by: Self.fetchedBytes) {
                _ = posix_madvise(
                    first + piece, min(Self.fetchedBytes, count - piece), POSIX_MADV_WILLNEED)
            }
        }
    }

    /// Whether all these bytes are in memory. True of bytes that are no mapped file's, and where
    /// the system does not tell, as Linux of a file that this user may not write.
    package var isResident: Bool {
        guard isMapped else { return true }
        return withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return true }
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let first = start.alignedDown(toMultipleOf: page)
            let count = start + bytes.count - first
            #if canImport(Glibc)
                var pages = [UInt8](repeating: 0, count: (count + page - 1) / page)
            #else
                var pages = [CChar](repeating: 0, count: (count + page - 1) / page)
            #endif
            guard mincore(UnsafeMutableRawPointer(mutating: first), count, &pages) == 0 else {
                return true
            }
            return pages.allSatisfy { $0 & 1 == 1 }
        }
    }

    /// Takes these bytes' whole pages out of this process's memory, if they are a mapped file's:
    /// the next look reads them again.
    package func release() {
        guard isMapped else { return }
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let first = start.alignedUp(toMultipleOf: page)
            let end = (start + bytes.count).alignedDown(toMultipleOf: page)
            guard first < end else { return }
            _ = madvise(UnsafeMutableRawPointer(mutating: first), end - first, MADV_DONTNEED)
        }
    }
}
