import SystemModel
import TestSupport
import Testing
import Wire

@testable import Worker

/// Assignments and offers that cross each other, without a base station and without weights.
struct ExpertLoaderTests {
    private static let model = ModelFacts(
        hiddenSize: 4, layerCount: 1, expertCount: 8, activationFunction: "silu")

    /// The first experts, each of 100 bytes.
    private static func assignment(_ count: Int) -> Assignment {
        Assignment(
            model: model,
            experts: (0..<count).map { expert in
                ExpertManifest(
                    id: ExpertID(layer: 0, expert: expert),
                    sha256: BlobDigest(bytes: [UInt8](repeating: UInt8(expert), count: 32)),
                    byteCount: 100, tensors: [])
            })
    }

    private static func loader(memoryBytes: Int) throws -> ExpertLoader {
        let clock = ManualClock()
        return ExpertLoader(
            store: try BlobStore(directory: nil),
            computer: ExpertComputer(clock: clock, turns: ComputeTurns(clock: clock)),
            memoryBytes: memoryBytes)
    }

    @Test func moreThanWasEverOfferedIsRefused() throws {
        let loader = try Self.loader(memoryBytes: 300)
        #expect(try loader.assigned(Self.assignment(3)).expertsAssigned == 3)
        let error = #expect(throws: WorkerError.self) {
            try loader.assigned(Self.assignment(4))
        }
        #expect(error?.code == .memory && loader.assignedBytes == 300)
        loader.offered(400)
        #expect(try loader.assigned(Self.assignment(4)).expertsAssigned == 4)
    }

    /// The base station had not heard of the smaller offer: what fits is held.
    @Test func anAssignmentThatCrossesASmallerOfferIsHeldAsFarAsItFits() throws {
        let loader = try Self.loader(memoryBytes: 400)
        loader.offered(250)
        let progress = try loader.assigned(Self.assignment(4))
        #expect(progress.expertsAssigned == 2 && loader.assignedBytes == 200)
        #expect(progress.requests.map(\.digest) == Self.assignment(2).experts.map(\.sha256))
    }

    @Test func whatIsHeldStaysUntilItIsCut() throws {
        let loader = try Self.loader(memoryBytes: 400)
        _ = try loader.assigned(Self.assignment(4))
        loader.offered(250)
        #expect(loader.assignedBytes == 400)
        let progress = try #require(try loader.cut())
        #expect(progress.expertsAssigned == 2 && progress.isNews && loader.assignedBytes == 200)
        #expect(try loader.cut() == nil, "all fits")
    }

    /// Without a base station nothing is asked for; the next assignment asks again.
    @Test func whoIsAwayLetsGoOfAll() throws {
        let loader = try Self.loader(memoryBytes: 400)
        _ = try loader.assigned(Self.assignment(4))
        loader.offered(0)
        loader.cutAlone()
        #expect(loader.assignedBytes == 0)
        loader.offered(400)
        #expect(try loader.assigned(Self.assignment(3)).expertsAssigned == 3)
    }
}
