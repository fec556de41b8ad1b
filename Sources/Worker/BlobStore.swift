import Crypto
import Foundation
import ModelFiles
import Synchronization
import SystemPackage
package import Tensors
package import Wire

/// The expert blobs that a device holds, named by the SHA-256 of their bytes.
///
/// With a folder they outlive the process, so that a second start is shipped nothing; without one
/// they live in memory. Only one process uses a folder at a time; in it, several loaders may.
package final class BlobStore: Sendable {
    /// Nil: blobs are held in memory only.
    private let directory: FilePath?
    private let lock: FileDescriptor?
    /// Blobs that somebody is writing to the folder at this moment.
    private let arriving = ArrivingBlobs()

    /// - Parameter directory: made if it does not exist; nil keeps blobs in memory.
    /// - Throws: `cache` if the folder cannot be made or another process uses it.
    package init(directory: String?) throws(WorkerError) {
        guard let directory else {
            (self.directory, lock) = (nil, nil)
            return
        }
        let folder = FilePath(directory)
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            lock = try FileDescriptor.open(
                folder.appending("lock"), .readWrite, options: [.create, .closeOnExec],
                permissions: .ownerReadWrite)
        } catch {
            throw WorkerError(.cache, "cache \(directory): cannot be used: \(Self.reason(error))")
        }
        self.directory = folder
        guard let lock, flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw WorkerError(
                .cache, "cache \(directory): another device uses it; give each its own --cache")
        }
    }

    deinit { try? lock?.close() }

    /// Whether blobs outlive the process.
    var isOnDisk: Bool { directory != nil }

    /// The blob of that digest if it is here and whole; a damaged one is deleted.
    ///
    /// - Complexity: reads and hashes all its bytes.
    package func blob(digest: BlobDigest, byteCount: Int) -> WeightBytes? {
        guard let path = directory?.appending(digest.description),
            let file = try? MappedFile(path: path.string)
        else { return nil }
        let bytes = WeightBytes(mapping: MappingOwner(file))
        guard bytes.count == byteCount, Self.digest(bytes) == digest else {
            try? FileManager.default.removeItem(atPath: path.string)
            return nil
        }
        return bytes
    }

    /// Starts, or goes on with, receiving a blob. While another loader of this process receives the
    /// same one, it comes into memory instead of the folder.
    ///
    /// - Throws: `cache` with the system's reason.
    package func receive(digest: BlobDigest, byteCount: Int) throws(WorkerError) -> IncomingBlob {
        guard let directory, let claim = arriving.claim(digest) else {
            return IncomingBlob(inMemory: digest, byteCount: byteCount)
        }
        return try IncomingBlob(
            file: directory.appending(digest.description), claim: claim, byteCount: byteCount)
    }

    /// The SHA-256 of bytes.
    package static func digest(_ bytes: WeightBytes) -> BlobDigest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return BlobDigest(bytes: Array(hash.finalize()))
    }

    static func reason(_ error: any Error) -> String {
        (error as? Errno)?.description ?? error.localizedDescription
    }
}

/// Which blobs are being written to a folder: each by one loader at a time.
final class ArrivingBlobs: Sendable {
    /// The right to write one blob; given back when nobody holds it any more.
    final class Claim: Sendable {
        let digest: BlobDigest
        private let owner: ArrivingBlobs

        fileprivate init(_ digest: BlobDigest, _ owner: ArrivingBlobs) {
            (self.digest, self.owner) = (digest, owner)
        }

        deinit { owner.digests.withLock { _ = $0.remove(digest) } }
    }

    private let digests = Mutex<Set<BlobDigest>>([])

    /// Nil while somebody else has it.
    func claim(_ digest: BlobDigest) -> Claim? {
        digests.withLock { $0.insert(digest).inserted } ? Claim(digest, self) : nil
    }
}
