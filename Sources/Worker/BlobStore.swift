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
    private let space: CacheSpace?

    /// Somebody's present assignment, whose blobs stay in the folder while it lives.
    package final class Holding: Sendable {
        private let space: CacheSpace?

        fileprivate init(_ space: CacheSpace?) {
            self.space = space
        }

        deinit { space?.end(ObjectIdentifier(self)) }
    }

    /// - Parameters:
    ///   - directory: made if it does not exist; nil keeps blobs in memory.
    ///   - diskBytes: most bytes of blobs in the folder; nil: as many as come.
    /// - Throws: `cache` if the folder cannot be made or another process uses it.
    package init(directory: String?, diskBytes: Int? = nil) throws(WorkerError) {
        guard let directory else {
            (self.directory, lock, space) = (nil, nil, nil)
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
        space = CacheSpace(folder: directory, limit: diskBytes)
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
            space?.deleted(bytes.count)
            return nil
        }
        return bytes
    }

    /// A loader's part in what stays in the folder.
    package func makeHolding() -> Holding { Holding(space) }

    /// These blobs, with their bytes, are what is assigned now to whoever has `holding`. If they
    /// and the others do not fit into the folder's limit, blobs go that nobody is assigned; those
    /// that somebody keeps `ahead` of need go last.
    package func assign(
        _ blobs: [BlobDigest: Int], ahead: [BlobDigest: Int] = [:], to holding: Holding
    ) {
        space?.assign(blobs, ahead: ahead, to: holding)
    }

    /// Bytes of experts that the folder may hold: its limit; without one what is in it, and a
    /// quarter of what its file system has free, in all at most `mostOffered`. 0 without a folder.
    package var offeredBytes: Int {
        guard let directory, let space else { return 0 }
        if let limit = space.limit { return limit }
        let facts = try? FileManager.default.attributesOfFileSystem(forPath: directory.string)
        let free = (facts?[.systemFreeSize] as? NSNumber)?.intValue ?? 0
        return min(space.storedBytes + free / 4, Self.mostOffered)
    }

    /// Most bytes that are offered of a folder without a limit: 64 GiB, so that a large disk does
    /// not make a base station ship whatever it has.
    package static let mostOffered = 64 << 30

    /// Whether the folder has the whole blob. Its bytes are not looked at: they were verified
    /// before it got its name, and are again when they are loaded.
    func has(digest: BlobDigest, byteCount: Int) -> Bool {
        space?.has(digest, byteCount: byteCount) ?? false
    }

    /// Starts, or goes on with, receiving a blob into the folder; nil if it has no room, or while
    /// another loader receives the same one.
    ///
    /// - Throws: `cache` with the system's reason.
    func receiveOnDisk(digest: BlobDigest, byteCount: Int) throws(WorkerError) -> IncomingBlob? {
        guard let space, let claim = space.claim(digest, byteCount: byteCount) else { return nil }
        return try IncomingBlob(
            file: FilePath(space.path(digest)), claim: claim, byteCount: byteCount)
    }

    /// What has arrived of a blob is not wanted any more; nobody receives it now.
    func discard(digest: BlobDigest, byteCount: Int) {
        space?.discard(digest, byteCount: byteCount)
    }

    /// Starts, or goes on with, receiving a blob. It comes into memory instead of the folder if the
    /// folder has no room, or while another loader of this process receives the same one.
    ///
    /// - Throws: `cache` with the system's reason.
    package func receive(digest: BlobDigest, byteCount: Int) throws(WorkerError) -> IncomingBlob {
        try receiveOnDisk(digest: digest, byteCount: byteCount)
            ?? IncomingBlob(inMemory: digest, byteCount: byteCount)
    }

    /// The SHA-256 of bytes.
    package static func digest(_ bytes: WeightBytes) -> BlobDigest {
        var hash = SHA256()
        bytes.forEachPieceInBackground { hash.update(bufferPointer: $0) }
        return BlobDigest(bytes: Array(hash.finalize()))
    }

    static func reason(_ error: any Error) -> String {
        (error as? Errno)?.description ?? error.localizedDescription
    }
}
