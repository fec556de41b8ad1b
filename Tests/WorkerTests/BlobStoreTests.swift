import Foundation
import Tensors
import TestSupport
import Testing
import Wire

@testable import Worker

struct BlobStoreTests {
    private let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    private var digest: BlobDigest { BlobStore.digest(WeightBytes(bytes)) }

    /// An empty input's SHA-256 is a published constant.
    @Test func digestsAreSHA256() {
        #expect(
            BlobStore.digest(WeightBytes([])).description
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func keepsABlobBetweenStarts() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try BlobStore(directory: folder.path + "/cache")
            let blob = try store.receive(digest: digest, byteCount: bytes.count)
            try blob.append(bytes[..<2000])
            try blob.append(bytes[2000...])
            #expect(try blob.finish() != nil)
        }
        let store = try BlobStore(directory: folder.path + "/cache")
        let found = store.blob(digest: digest, byteCount: bytes.count)
        #expect(found?.copyBytes(0..<bytes.count) == bytes)
    }

    @Test func goesOnWhereAnInterruptedStartEnded() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try BlobStore(directory: folder.path)
            try store.receive(digest: digest, byteCount: bytes.count).append(bytes[..<1234])
        }
        let store = try BlobStore(directory: folder.path)
        let blob = try store.receive(digest: digest, byteCount: bytes.count)
        #expect(blob.received == 1234)
        try blob.append(bytes[1234...])
        #expect(try blob.finish() != nil)
    }

    @Test func aDamagedBlobIsDiscarded() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(directory: folder.path)
        let blob = try store.receive(digest: digest, byteCount: bytes.count)
        var wrong = bytes
        wrong[77] ^= 1
        try blob.append(wrong[...])
        #expect(try blob.finish() == nil)
        #expect(blob.received == 0, "it starts again")
        _ = try folder.write(digest.description, wrong)
        #expect(store.blob(digest: digest, byteCount: bytes.count) == nil)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + digest.description))
    }

    @Test func oneFolderServesOneDevice() throws {
        let folder = try TemporaryFolder()
        let first = try BlobStore(directory: folder.path)
        let error = #expect(throws: WorkerError.self) { try BlobStore(directory: folder.path) }
        #expect(error?.message.contains(folder.path) == true)
        withExtendedLifetime(first) {}
    }

    /// A full disk, as /dev/full plays it: one line that names the cache and says what to do.
    @Test func aFullDiskIsExplained() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/\(digest).partial", withDestinationPath: "/dev/full")
        let store = try BlobStore(directory: folder.path)
        let blob = try store.receive(digest: digest, byteCount: bytes.count)
        let error = #expect(throws: WorkerError.self) { try blob.append(bytes[...]) }
        #expect(error?.code == .cache)
        #expect(error?.message.contains(folder.path) == true)
        #expect(error?.message.contains("No space left on device") == true)
    }

    /// Two loaders of one device receive the same blob at once: both get it, the folder once.
    @Test func severalMayReceiveTheSameBlob() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(directory: folder.path)
        do {
            let first = try store.receive(digest: digest, byteCount: bytes.count)
            try first.append(bytes[..<2000])
            let second = try store.receive(digest: digest, byteCount: bytes.count)
            #expect(second.received == 0)
            try second.append(bytes[...])
            try first.append(bytes[2000...])
            for blob in [first, second] {
                #expect(try blob.finish()?.copyBytes(0..<bytes.count) == bytes)
            }
        }
        #expect(store.blob(digest: digest, byteCount: bytes.count) != nil)
        let again = try store.receive(digest: digest, byteCount: bytes.count)
        try again.append(bytes[...])
        #expect(try again.finish() != nil, "it takes the place of the one that is there")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == ["lock", digest.description])
    }
}
