#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that is being written, front to back, and that nobody else writes meanwhile.
struct OutputFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    /// Opens or creates the file and locks it.
    ///
    /// - Throws: `cannotWrite` with the system's reason, or where another process has the lock.
    init(path: String) throws(ModelFileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw failure("cannot be created") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw ModelFileError(
                .cannotWrite, file: path, "is being written by another process; wait for it")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The file's size in bytes.
    func size() throws(ModelFileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ModelFileError(.cannotWrite, file: path, "is not a regular file")
        }
        return Int(status.st_size)
    }

    /// Cuts the file or fills it with zeros up to `count` bytes.
    func resize(_ count: Int) throws(ModelFileError) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw failure("cannot be resized") }
    }

    /// The bytes from `offset` on, `count` of them or as many as there are.
    func read(at offset: Int, count: Int) throws(ModelFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(
                    descriptor, $0.baseAddress.map { $0 + done }, count - done,
                    off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw failure("cannot be read") }
            guard got > 0 else { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// - Throws: `cannotWrite`; of a full disk with what to do.
    func write(_ bytes: [UInt8], at offset: Int) throws(ModelFileError) {
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes {
                pwrite(
                    descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done,
                    off_t(offset + done))
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else {
                throw errno == ENOSPC
                    ? ModelFileError(
                        .cannotWrite, file: path,
                        "the disk is full after \(offset + done) bytes; make room and give the "
                            + "same command again: it continues")
                    : failure("cannot be written")
            }
            done += put
        }
    }

    /// Bytes that the file's disk has room for; nil where the system does not say.
    func room() -> Int? {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { return nil }
        let (bytes, overflow) = Int(clamping: status.f_bavail)
            .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        return overflow ? nil : bytes
    }

    /// Waits until the disk has everything, then gives the file its name; whatever has that name
    /// is replaced.
    consuming func finish(as target: String) throws(ModelFileError) {
        guard fsync(descriptor) == 0 else { throw failure("cannot be written") }
        guard rename(path, target) == 0 else { throw failure("cannot be renamed to \(target)") }
    }

    /// Removes the file.
    consuming func discard() { unlink(path) }

    private func failure(_ what: String) -> ModelFileError {
        ModelFileError(.cannotWrite, file: path, "\(what): \(String(cString: strerror(errno)))")
    }
}

extension MappedFile {
    /// Tells the system that pages of a mapping are not needed for now, so that reading a file of
    /// any size keeps little of it in memory. A later read brings them back.
    ///
    /// - Parameter bytes: of a mapped file, never of memory, whose contents would be lost.
    static func release(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        let page = Int(getpagesize())
        let first = (UInt(bitPattern: start) + UInt(page) - 1) / UInt(page) * UInt(page)
        let end = (UInt(bitPattern: start) + UInt(bytes.count)) / UInt(page) * UInt(page)
        guard end > first, let address = UnsafeMutableRawPointer(bitPattern: first) else { return }
        madvise(address, Int(end - first), Int32(MADV_DONTNEED))
    }
}
