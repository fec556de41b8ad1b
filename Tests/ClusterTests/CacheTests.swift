import Coordinator
import Foundation
import MoEModel
import SystemModel
import TestSupport
import Testing
import Worker

/// What a device's cache is worth after things have happened to it, over a real base station: what
/// is whole is not shipped, what is not is found out, dropped and shipped again.
@Suite(.timeLimit(.minutes(5))) struct CacheTests {
    /// What happens to one blob of a cache between two starts.
    enum Damage: CaseIterable, Sendable {
        case none, flippedByte, shortened, lengthened, emptied, deleted
        case halfArrived, halfArrivedWrong, allArrivedWrong, tooMuchArrived

        /// Damages the blob at `path`, whose bytes are `bytes`.
        func happen(to path: String, _ bytes: [UInt8]) throws {
            let half = bytes.count / 2
            var wrong = bytes
            wrong[half / 3] ^= 0x10
            let (file, partial) = (URL(filePath: path), URL(filePath: path + ".partial"))
            switch self {
            case .none: break
            case .flippedByte: try Data(wrong).write(to: file)
            case .shortened: try Data(bytes.dropLast()).write(to: file)
            case .lengthened: try Data(bytes + [0]).write(to: file)
            case .emptied: try Data().write(to: file)
            default:
                try FileManager.default.removeItem(at: file)
            }
            switch self {
            case .halfArrived: try Data(bytes[..<half]).write(to: partial)
            case .halfArrivedWrong: try Data(wrong[..<half]).write(to: partial)
            case .allArrivedWrong: try Data(wrong).write(to: partial)
            case .tooMuchArrived: try Data(bytes + [0]).write(to: partial)
            default: break
            }
        }

        /// What is shipped then, of a blob of that size.
        func shipped(_ size: Int) -> Int {
            switch self {
            case .none: 0
            case .halfArrived: size - size / 2
            case .halfArrivedWrong: size - size / 2 + size
            default: size
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func damageIsFoundAndMended(_ damage: Damage) async throws {
        let folder = try TemporaryFolder()
        let cache = folder.path + "/cache"
        let model = try tinyModel("mixtral")
        let size = model.shape.expertBytes[0]
        let all = model.shape.expertBytes.reduce(0) { $0 + $1 * model.shape.experts }
        #expect(try await start(model, cache) == all)
        let names = try FileManager.default.contentsOfDirectory(atPath: cache).sorted()
        let blob = cache + "/" + (try #require(names.first { $0 != "lock" }))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: blob)))
        try damage.happen(to: blob, bytes)
        #expect(try await start(model, cache) == damage.shipped(size))
        #expect([UInt8](try Data(contentsOf: URL(filePath: blob))) == bytes)
        let mended = try FileManager.default.contentsOfDirectory(atPath: cache).sorted()
        #expect(mended == names, "nothing is left over")
        #expect(try await start(model, cache) == 0)
    }

    /// A blob that is damaged while the device runs is found out when it is assigned again. (One
    /// that is changed while it is being computed with is not: it was verified when it was mapped.)
    @Test func damageBetweenTwoSessionsIsFound() async throws {
        let folder = try TemporaryFolder()
        let machine = SharedMachine(store: try BlobStore(directory: folder.path))
        let model = try tinyModel("mixtral")
        let size = model.shape.expertBytes[0]
        _ = try await start(model, machine: machine)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let blob = URL(filePath: folder.path + "/" + (try #require(names.first { $0 != "lock" })))
        var bytes = [UInt8](try Data(contentsOf: blob))
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: blob)
        #expect(try await start(model, machine: machine) == size)
        #expect(try await start(model, machine: machine) == 0)
    }

    /// Starts a device, compares its answers with those of one machine, and ends it.
    ///
    /// - Returns: the bytes that it was shipped.
    private func start(
        _ model: Model, _ cache: String? = nil, machine: SharedMachine? = nil
    ) async throws -> Int {
        let ids = try ExpectedModel("mixtral").input_ids
        let cell = try await TestCell(model, .loopback)
        cell.join("a", cache: cache, machine: machine)
        await cell.coordinator.wait { $0.members.count == 1 }
        cell.coordinator.replan()
        await cell.coordinator.wait { $0.isComplete }
        let shipped = cell.coordinator.membership.members.values.reduce(0) { $0 + $1.bytesFetched }
        let experts = cell.experts()
        #expect(
            try model.logits(ids, experts)
                == model.logits(ids, LocalExperts(layers: model.experts)))
        #expect(experts.takeCosts().localPairs == 0, "the device computed everything")
        await cell.close()
        return shipped
    }
}
