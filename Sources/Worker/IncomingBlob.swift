import Crypto
import Foundation
import ModelFiles
import SystemPackage
package import Tensors
package import Wire

/// A blob that is arriving in order, in memory or in a `.partial` file that a later start resumes.
package final class IncomingBlob {
    private enum Destination {
        case memory([UInt8])
        case file(FileDescriptor, partial: FilePath, final: FilePath)
    }

    package let digest: BlobDigest
    package let byteCount: Int
    /// Bytes that are here; the next chunk starts at this offset.
    package private(set) var received: Int
    private var destination: Destination
    /// Of the bytes that came, so that the whole need not be read again in one go; nil where the
    /// first of them lay in a partial file.
    private var hash: SHA256? = SHA256()
    /// For a file: nobody else writes to it.
    private var claim: CacheSpace.Claim?

    init(inMemory digest: BlobDigest, byteCount: Int) {
        self.digest = digest
        self.byteCount = byteCount
        received = 0
        destination = .memory([])
    }

    /// - Throws: `cache` if the partial file cannot be opened.
    init(
        file: FilePath, claim: CacheSpace.Claim, byteCount: Int
    ) throws(WorkerError) {
        digest = claim.digest
        self.claim = claim
        self.byteCount = byteCount
        let partial = FilePath(file.string + CacheSpace.partialSuffix)
        do {
            let descriptor = try FileDescriptor.open(
                partial, .readWrite, options: [.create, .closeOnExec],
                permissions: .ownerReadWrite)
            received = Int(try descriptor.seek(offset: 0, from: .end))
            if received > byteCount {
                try descriptor.resize(to: 0)
                received = 0
            }
            if received > 0 { hash = nil }
            destination = .file(descriptor, partial: partial, final: file)
        } catch {
            throw Self.failure(partial, error)
        }
    }

    deinit {
        if case .file(let descriptor, _, _) = destination { try? descriptor.close() }
    }

    /// Adds the next bytes.
    ///
    /// - Throws: `cache` when they cannot be written, as on a full disk.
    package func append(_ bytes: ArraySlice<UInt8>) throws(WorkerError) {
        precondition(received + bytes.count <= byteCount, "chunks stay within the blob")
        switch destination {
        case .memory(var buffer):
            destination = .memory([])
            if buffer.isEmpty { buffer.reserveCapacity(byteCount) }
            buffer += bytes
            destination = .memory(buffer)
        case .file(let descriptor, let partial, _):
            do {
                try descriptor.writeAll(toAbsoluteOffset: Int64(received), bytes)
            } catch {
                throw Self.failure(partial, error)
            }
        }
        received += bytes.count
        bytes.withUnsafeBytes { hash?.update(bufferPointer: $0) }
    }

    /// Begins anew.
    private func drop() {
        received = 0
        hash = SHA256()
    }

    private func isRight(_ bytes: WeightBytes) -> Bool {
        let found = hash.map { BlobDigest(bytes: Array($0.finalize())) }
        return (found ?? BlobStore.digest(bytes)) == digest
    }

    /// Checks the whole and puts it in its place; nil if its digest is wrong, and then it is gone.
    ///
    /// - Throws: `cache` if the file cannot be finished.
    package func finish() throws(WorkerError) -> WeightBytes? {
        precondition(received == byteCount, "a blob is finished when it is whole")
        switch destination {
        case .memory(let buffer):
            let bytes = WeightBytes(buffer)
            guard isRight(bytes) else {
                destination = .memory([])
                drop()
                return nil
            }
            return bytes
        case .file(let descriptor, let partial, let final):
            do {
                return try finish(descriptor, partial, final)
            } catch {
                throw Self.failure(partial, error)
            }
        }
    }

    private func finish(
        _ descriptor: FileDescriptor, _ partial: FilePath, _ final: FilePath
    ) throws -> WeightBytes? {
        let bytes = WeightBytes(mapping: MappingOwner(try MappedFile(path: partial.string)))
        guard isRight(bytes) else {
            try descriptor.resize(to: 0)
            drop()
            return nil
        }
        // Replaces what another loader may have put there since this one began.
        guard rename(partial.string, final.string) == 0 else { throw Errno(rawValue: errno) }
        return bytes
    }

    private static func failure(_ path: FilePath, _ error: any Error) -> WorkerError {
        WorkerError(
            .cache,
            "cache \(path.string): \(BlobStore.reason(error)); make room, or choose another "
                + "folder with --cache, or \"--cache none\" to hold experts in memory")
    }
}
