#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension WeightBytes {
    /// Asks the system to read these bytes from their file soon, if they are mapped and not in
    /// memory. Returns at once; bytes that are no mapped file's stay as they are.
    package func fetch() {
        withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return }
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let offset = Int(bitPattern: start) % page
            let first = UnsafeMutableRawPointer(mutating: start - offset)
            _ = posix_madvise(first, bytes.count + offset, POSIX_MADV_WILLNEED)
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
