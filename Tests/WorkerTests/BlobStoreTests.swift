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

    /// With room for two blobs, of three in turn the one that was assigned least recently goes;
    /// what is assigned never does, and what has no room beside it comes into memory.
    @Test func aLimitedFolderKeepsWhatWasAssignedLast() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(directory: folder.path, diskBytes: 2 * bytes.count)
        let holding = store.makeHolding()
        let blobs = (0..<3).map { number in bytes.map { $0 &+ UInt8(number) } }
        let digests = blobs.map { BlobStore.digest(WeightBytes($0)) }
        func assign(_ numbers: [Int]) throws {
            let wanted = numbers.map { (digests[$0], bytes.count) }
            store.assign(Dictionary(uniqueKeysWithValues: wanted), to: holding)
            for number in numbers
            where store.blob(digest: digests[number], byteCount: bytes.count) == nil {
                let blob = try store.receive(digest: digests[number], byteCount: bytes.count)
                try blob.append(blobs[number][...])
                #expect(try blob.finish() != nil)
            }
        }
        func there() throws -> Set<Int> {
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return Set(digests.indices.filter { files.contains(digests[$0].description) })
        }
        try assign([0, 1])
        #expect(try there() == [0, 1])
        try age(folder.path + "/\(digests[1])")
        try assign([2])
        #expect(try there() == [0, 2])
        try age(folder.path + "/\(digests[2])")
        try assign([0])
        try assign([1])
        #expect(try there() == [0, 1], "what was assigned again counts as used")
        try assign([0, 1, 2])
        #expect(try there() == [0, 1], "the third is held in memory")
        let other = store.makeHolding()
        store.assign([digests[2]: bytes.count], to: other)
        #expect(try there() == [0, 1], "nobody takes what another has been assigned")
    }

    private func age(_ path: String) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: path)
    }

    /// A part that nobody is assigned goes first; what is left of the limit is then enough.
    @Test func partsOfAnInterruptedStartGoFirst() throws {
        let folder = try TemporaryFolder()
        let other = BlobStore.digest(WeightBytes([1, 2, 3]))
        _ = try folder.write(digest.description, bytes)
        _ = try folder.write("\(other).partial", Array(bytes[..<4000]))
        _ = try folder.write("notes", Array(bytes[..<4000]))
        let store = try BlobStore(directory: folder.path, diskBytes: bytes.count + 1000)
        let holding = store.makeHolding()
        store.assign([BlobStore.digest(WeightBytes([4])): 1000], to: holding)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(files) == ["lock", "notes", digest.description])
    }
}
