import Foundation
import MoEModel
import SystemModel
import TestSupport
import Testing
import Worker

@testable import Coordinator

/// Experts on the disks of devices ahead of need, over a real base station: when a device is lost
/// the others have its experts without a byte from the base station, and no token changes.
@Suite(.timeLimit(.minutes(5))) struct KeptOnDiskTests {
    private static let names = ["a", "b", "c"]

    /// Every device has its experts, and on disk what it is to keep there.
    private static let isKept: @Sendable (MembershipState) -> Bool = { state in
        state.isComplete && !state.isKeepingDue
            && state.members.values.allSatisfy { $0.kept.count == $0.toKeep.count }
    }

    /// By device, what it was shipped since it was last assigned other experts.
    private static func bytesFetched(_ cell: TestCell) -> [String: Int] {
        Dictionary(
            cell.coordinator.membership.members.values.map {
                ($0.description.name, $0.bytesFetched)
            }, uniquingKeysWith: +)
    }

    @Test(arguments: Depth.allCases)
    func aLossIsMendedWithoutShipping(_ depth: Depth) async throws {
        let folder = try TemporaryFolder()
        let model = try tinyModel("mixtral")
        let prompt = try ExpectedModel("mixtral").greedy_prompt
        let expected = try model.generate(prompt, count: 16, LocalExperts(layers: model.experts))
        let cell = try await TestCell(model, depth)
        for name in Self.names {
            cell.join(name, cache: "\(folder.path)/\(name)", diskBytes: 1 << 30)
        }
        await cell.coordinator.wait { $0.members.count == 3 }
        cell.coordinator.replan()
        await cell.coordinator.wait(until: Self.isKept)
        let all = model.shape.layers * model.shape.experts
        let members = cell.coordinator.membership.members.values
        #expect(members.allSatisfy { $0.assigned.count + $0.kept.count == all })
        #expect(members.allSatisfy { $0.bytesKept == $0.kept.count * model.shape.expertBytes[0] })
        let experts = cell.experts()
        var generation = Generation(
            transformer: model.transformer, selector: model.selector, experts: experts,
            clock: RealClock(), sampling: SamplingOptions(), prompt: prompt)
        var tokens: [Int] = []
        for _ in 0..<6 { tokens.append(try generation.next().id) }
        cell.cut("b")
        await cell.coordinator.wait { $0.members.count == 2 }
        for _ in 0..<4 { tokens.append(try generation.next().id) }
        cell.coordinator.replan()
        await cell.coordinator.wait { $0.isComplete }
        #expect(Self.bytesFetched(cell) == ["a": 0, "c": 0], "all of it was on their disks")
        _ = experts.takeCosts()
        for _ in 0..<6 { tokens.append(try generation.next().id) }
        #expect(tokens == expected)
        #expect(experts.takeCosts().localPairs == 0, "devices compute everything again")
        #expect(cell.coordinator.membership.members.values.reduce(0) { $0 + $1.ready.count } == all)
        await cell.close()
    }

    /// The same where the base station plans by itself, with memories that hold all experts only
    /// together.
    @Test func aReplannedLossShipsNothing() async throws {
        let folder = try TemporaryFolder()
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let all = model.shape.expertBytes.reduce(0) { $0 + $1 * model.shape.experts }
        let cell = try await TestCell(model, .inProcess)
        let thread = InferenceThread()
        var options = Replanner.Options()
        options.rules.gathering = .zero
        options.rules.longestWait = .zero
        let replanner = Replanner(
            cell.coordinator, model.shape, options, onInference: thread.submit)
        let glancing = Task {
            while !Task.isCancelled {
                replanner.glance()
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        for name in Self.names {
            cell.join(
                name, memoryBytes: all / 2, cache: "\(folder.path)/\(name)", diskBytes: 1 << 30)
        }
        await cell.coordinator.wait {
            $0.members.count == 3 && replanner.hasDecided(for: $0) && Self.isKept($0)
        }
        let before = Self.bytesFetched(cell)
        cell.cut("c")
        await cell.coordinator.wait {
            $0.members.count == 2 && replanner.hasDecided(for: $0) && $0.isComplete
                && !$0.isChanging
        }
        glancing.cancel()
        _ = await glancing.result
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == own)
        #expect(experts.takeCosts().localPairs == 0)
        for (name, bytes) in Self.bytesFetched(cell) {
            #expect(bytes == 0 || bytes == before[name], "\(name) was assigned no others")
        }
        replanner.cancel()
        await cell.close()
    }

    /// A device whose folder holds less than it offered keeps what fits, and goes on serving.
    @Test func aSmallFolderEndsNoSession() async throws {
        let folder = try TemporaryFolder()
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let size = model.shape.expertBytes[0]
        let half = model.shape.layers * model.shape.experts / 2
        let store = try BlobStore(directory: folder.path, diskBytes: (half + 2) * size)
        let cell = try await TestCell(model, .inProcess)
        cell.join("a", machine: SharedMachine(store: store), diskBytes: 1 << 30)
        cell.join("b")
        await cell.coordinator.wait { $0.members.count == 2 }
        cell.coordinator.replan()
        await cell.coordinator.wait {
            $0.isComplete && $0.members.values.contains { $0.kept.count == 2 }
        }
        let experts = cell.experts()
        #expect(try model.logits(ids, experts) == own)
        #expect(experts.takeCosts().localPairs == 0)
        let device = try #require(
            cell.coordinator.membership.members.values.first { $0.description.name == "a" })
        #expect(device.toKeep.count == half && device.ready.count == half)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count { $0 != "lock" } == half + 2)
        await cell.close()
    }
}
