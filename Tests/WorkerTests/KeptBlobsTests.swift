import Foundation
import SystemModel
import Tensors
import TestSupport
import Testing
import Wire

@testable import Worker

/// Blobs that are kept on disk ahead of need, and how they give way.
struct KeptBlobsTests {
    private static let size = 100_000
    private static let model = ModelFacts(
        hiddenSize: 8, layerCount: 1, expertCount: 64, activationFunction: "silu")

    private static func bytes(_ number: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }

    private static func manifest(_ number: Int) -> ExpertManifest {
        ExpertManifest(
            id: ExpertID(layer: 0, expert: number),
            sha256: BlobStore.digest(WeightBytes(bytes(number))), byteCount: size, tensors: [])
    }

    private static func assignment(_ experts: [Int] = [], kept: [Int]) -> Assignment {
        Assignment(model: model, experts: experts.map(manifest), kept: kept.map(manifest))
    }

    private static func loader(_ store: BlobStore, diskBytes: Int) -> ExpertLoader {
        let clock = ManualClock()
        return ExpertLoader(
            store: store,
            computer: ExpertComputer(
                clock: clock, pace: nil, turns: ComputeTurns(clock: clock), station: 0),
            memoryBytes: 1 << 30, diskBytes: diskBytes)
    }

    /// Answers requests until there are none.
    ///
    /// - Returns: the experts that were told to be on disk, and the last progress.
    private static func serve(
        _ loader: ExpertLoader, _ first: ExpertLoader.Progress
    ) throws -> (kept: [ExpertID], last: ExpertLoader.Progress) {
        let blobs = Dictionary(
            (0..<64).map { (manifest($0).sha256, bytes($0)) }, uniquingKeysWith: { one, _ in one })
        var (kept, last, requests) = (first.kept, first, first.requests[...])
        while let fetch = requests.popFirst() {
            let blob = try #require(blobs[fetch.digest])
            let part = Array(blob[fetch.offset..<fetch.offset + fetch.byteCount])
            last = try loader.arrived(
                Chunk(
                    digest: fetch.digest, offset: fetch.offset,
                    chunkDigest: BlobStore.digest(WeightBytes(part)), bytes: part))
            kept += last.kept
            requests += last.requests
        }
        return (kept, last)
    }

    private static func ids(_ numbers: [Int]) -> [ExpertID] {
        numbers.map { ExpertID(layer: 0, expert: $0) }
    }

    private func files(_ folder: TemporaryFolder) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path)).subtracting(["lock"])
    }

    /// In the order in which they matter, verified, and found again by the next start.
    @Test func theyComeInOrderAndStay() throws {
        let folder = try TemporaryFolder()
        let wanted = Self.assignment(kept: [5, 3, 9, 1])
        do {
            let store = try BlobStore(directory: folder.path)
            let loader = Self.loader(store, diskBytes: 1 << 30)
            let (kept, last) = try Self.serve(loader, loader.assigned(wanted))
            #expect(kept == Self.ids([5, 3, 9, 1]))
            #expect(last.expertsKept == 4 && last.bytesKept == 4 * Self.size && !last.isKeeping)
            #expect(last.bytesFetched == 0, "of the assigned ones")
        }
        let store = try BlobStore(directory: folder.path)
        let again = try Self.loader(store, diskBytes: 1 << 30).assigned(wanted)
        #expect(again.requests.isEmpty && again.kept == Self.ids([5, 3, 9, 1]))
    }

    /// Nothing is asked for while an assigned expert is on its way, and few parts at a time after.
    @Test func whatIsAssignedComesFirst() throws {
        let folder = try TemporaryFolder()
        let loader = Self.loader(
            try BlobStore(directory: folder.path), diskBytes: 1 << 30)
        let first = try loader.assigned(Self.assignment([7], kept: [1, 2]))
        #expect(Set(first.requests.map(\.digest)) == [Self.manifest(7).sha256])
        let alone = try loader.assigned(Self.assignment(kept: Array(0..<40)))
        #expect(alone.requests.count == ShipmentState.aheadWindow - 2, "two are under way still")
        let other = Self.loader(
            try BlobStore(directory: folder.path + "/other"), diskBytes: 1 << 30)
        let parts = try other.assigned(Self.assignment(kept: Array(0..<40))).requests
        #expect(parts.count == ShipmentState.aheadWindow)
    }

    /// As much as fits into what the device offered, or into its folder if that has less.
    @Test(arguments: [true, false])
    func whatDoesNotFitIsLeftOut(_ isLimited: Bool) throws {
        let folder = try TemporaryFolder()
        let room = 3 * Self.size + 1
        let store = try BlobStore(directory: folder.path, diskBytes: isLimited ? room : nil)
        let loader = Self.loader(store, diskBytes: isLimited ? 1 << 30 : room)
        let (kept, last) = try Self.serve(
            loader, loader.assigned(Self.assignment(kept: [0, 1, 2, 3, 4])))
        #expect(kept == Self.ids([0, 1, 2]))
        #expect(last.expertsKept == 3 && last.expertsToKeep == 5 && !last.isKeeping)
        #expect(last.isKeptNews, "people are told that no more is coming")
        #expect(try files(folder) == Set((0..<3).map { Self.manifest($0).sha256.description }))
    }

    /// A folder that cannot be written ends no session, and nothing half is left there.
    @Test func aFullDiskEndsNoSession() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/\(Self.manifest(0).sha256).partial",
            withDestinationPath: "/dev/full")
        let loader = Self.loader(try BlobStore(directory: folder.path), diskBytes: 1 << 30)
        let (kept, last) = try Self.serve(
            loader, loader.assigned(Self.assignment(kept: [0, 1, 2])))
        #expect(kept.isEmpty && !last.isKeeping)
        #expect(try files(folder).isEmpty)
    }

    @Test func withoutAFolderNothingIsKept() throws {
        let loader = Self.loader(try BlobStore(directory: nil), diskBytes: 1 << 30)
        let progress = try loader.assigned(Self.assignment(kept: [0, 1]))
        #expect(progress.requests.isEmpty && progress.kept.isEmpty && !progress.isKeeping)
    }

    /// A new assignment stops what was arriving; a later one goes on where it was.
    @Test func aNewAssignmentInterrupts() throws {
        let folder = try TemporaryFolder()
        let loader = Self.loader(try BlobStore(directory: folder.path), diskBytes: 1 << 30)
        let first = try loader.assigned(Self.assignment(kept: [0, 1]))
        let stopped = try loader.assigned(Self.assignment(kept: []))
        #expect(stopped.requests.isEmpty && stopped.expertsToKeep == 0)
        let again = try loader.assigned(Self.assignment(kept: [1]))
        var asked = first
        asked.requests += stopped.requests + again.requests
        let (kept, last) = try Self.serve(loader, asked)
        #expect(kept == Self.ids([1]) && last.expertsKept == 1)
    }

    /// What was asked for in a session that ended does not arrive in the next.
    @Test func aSessionBeginsWithNothingUnderWay() throws {
        let folder = try TemporaryFolder()
        let loader = Self.loader(try BlobStore(directory: folder.path), diskBytes: 1 << 30)
        let wanted = Self.assignment(kept: Array(0..<9))
        let before = try loader.assigned(wanted)
        loader.begin()
        let after = try loader.assigned(wanted)
        #expect(after.requests == before.requests)
        #expect(try Self.serve(loader, after).kept == Self.ids(Array(0..<9)))
    }

    /// With a limit, blobs ahead of need take the place of what nobody is assigned, and give way to
    /// what somebody is.
    @Test func theyStandBetweenAssignedAndForgotten() throws {
        let folder = try TemporaryFolder()
        let store = try BlobStore(directory: folder.path, diskBytes: 3 * Self.size)
        let loader = Self.loader(store, diskBytes: 3 * Self.size)
        _ = try Self.serve(loader, loader.assigned(Self.assignment(kept: [0, 1, 2])))
        _ = try Self.serve(loader, loader.assigned(Self.assignment(kept: [2, 3])))
        func there() throws -> Set<Int> {
            let files = try files(folder)
            return Set((0..<9).filter { files.contains(Self.manifest($0).sha256.description) })
        }
        let now = try there()
        #expect(now.isSuperset(of: [2, 3]) && now.count == 3)
        let other = store.makeHolding()
        store.assign([Self.manifest(8).sha256: Self.size], to: other)
        #expect(try there() == [2, 3], "what nobody wants went")
        store.assign(
            [Self.manifest(7).sha256: Self.size, Self.manifest(8).sha256: Self.size], to: other)
        #expect(try there().count == 1, "and then what is not needed yet")
    }
}
