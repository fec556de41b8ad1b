#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A whole file mapped read-only into memory; unmapped when the value goes.
///
/// Nothing is read or copied when it opens (measured: 0.2 ms whatever the size); pages come in as
/// they are touched. A file that somebody truncates while it is mapped kills the process with
/// SIGBUS at the next touch: that is the price of not copying, so model files are replaced by
/// renaming, never rewritten in place.
package struct MappedFile: ~Copyable, @unchecked Sendable {
    /// The file's bytes; valid as long as this value lives.
    package let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`.
    ///
    /// - Throws: `cannotOpen` with the system's reason; `malformed` for an empty file or a folder.
    /// - Complexity: O(1).
    package init(path: String) throws(ModelFileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ModelFileError(.cannotOpen, file: path, String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ModelFileError(.cannotOpen, file: path, "is not a regular file")
        }
        let count = Int(status.st_size)
        guard count > 0 else { throw ModelFileError(.malformed, file: path, "is empty") }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            start != MAP_FAILED
        else {
            throw ModelFileError(
                .cannotOpen, file: path,
                "cannot map \(count) bytes: \(String(cString: strerror(errno)))")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    /// What a path leads to.
    enum Kind { case file, folder }

    /// What is at `path`, or nil where there is nothing that can be opened.
    static func kind(of path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}

/// Keeps a mapping alive while views of its bytes (`WeightBytes`) exist.
package final class MappingOwner: Sendable {
    package let file: MappedFile

    package init(_ file: consuming MappedFile) {
        self.file = file
    }
}
