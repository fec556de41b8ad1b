import MoEModel
import Planning
import Synchronization
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import Coordinator

/// A base station that plans by itself, over real devices in this process.
@Suite(.timeLimit(.minutes(5))) struct ReplannerTests {
    /// A replanner whose rules need no waiting, on a cell whose steps run on a thread of their own.
    private final class Planned: Sendable {
        let cell: TestCell
        let thread = InferenceThread()
        let replanner: Replanner

        init(
            _ model: Model, residentBytes: Int = 0,
            search: @escaping Replanner.Search = Replanner.search
        ) async throws {
            cell = try await TestCell(model, .inProcess)
            var options = Replanner.Options()
            options.residentBytes = residentBytes
            options.rules.gathering = .zero
            options.rules.longestWait = .zero
            replanner = Replanner(
                cell.coordinator, model.shape, options, search: search,
                onInference: thread.submit)
        }

        /// Glances until it was decided what those who are there hold, and they have it.
        func settle(_ count: Int) async throws {
            let replanner = replanner
            let glancing = Task {
                while !Task.isCancelled {
                    replanner.glance()
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            await cell.coordinator.wait {
                $0.members.count == count && $0.isComplete && !$0.isChanging
                    && replanner.hasDecided(for: $0)
            }
            glancing.cancel()
            _ = await glancing.result
        }

        func join(_ names: [String], memoryBytes: Int = 1 << 30) {
            for name in names { cell.join(name, memoryBytes: memoryBytes) }
        }

        /// The executor belongs to this test's own thread; adopting waits for its turn there.
        func close() async {
            replanner.cancel()
            await cell.close()
        }
    }

    /// Devices join and leave, and each time experts are dealt anew while steps go on: the bits of
    /// one process, whoever holds what.
    @Test func devicesComeAndGoAndNoBitChanges() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let planned = try await Planned(model)
        let done = Mutex(false)
        let experts = Mutex(planned.cell.experts())
        let wrong = Mutex(0)
        let stepping = Task.detached {
            var steps = 0
            while !done.withLock({ $0 }) {
                let isOwn = try await planned.thread.run {
                    try experts.withLock { try model.logits(ids, $0) == own }
                }
                if !isOwn { wrong.withLock { $0 += 1 } }
                steps += 1
            }
            return steps
        }
        planned.join(["a", "b"])
        try await planned.settle(2)
        #expect(!planned.cell.coordinator.membership.hasSpareDevices)
        planned.cell.cut("b")
        await planned.cell.coordinator.wait { $0.members.count == 1 }
        try await planned.settle(1)
        planned.join(["c", "d"])
        try await planned.settle(3)
        #expect(!planned.cell.coordinator.membership.hasSpareDevices)
        done.withLock { $0 = true }
        #expect(try await stepping.value > 0)
        #expect(wrong.withLock { $0 } == 0)
        let last = try await planned.thread.run {
            try experts.withLock { experts in
                _ = experts.takeCosts()
                return (try model.logits(ids, experts), experts.takeCosts())
            }
        }
        // Who computes how much depends on how fast they were measured to be.
        #expect(last.0 == own)
        #expect(Set(last.1.devices.keys).isSubset(of: ["a", "c", "d"]))
        let outlook = planned.cell.coordinator.placementOutlook
        #expect(outlook.plan?.reason.contains("joined") == true && outlook.bytesToShip == 0)
        #expect(outlook.rows > 0)
        for layer in outlook.popularity { #expect(abs(layer.reduce(0, +) - 1) < 1e-9) }
        await planned.close()
    }

    /// The base station's own memory takes part, and what is in it costs no frame.
    @Test func theBaseStationHoldsItsPart() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let layer = model.shape.experts * model.shape.expertBytes[0]
        let planned = try await Planned(model, residentBytes: layer)
        planned.join(["a", "b"])
        try await planned.settle(2)
        let membership = planned.cell.coordinator.membership
        #expect(!membership.content.resident.isEmpty)
        #expect(membership.content.resident.count <= model.shape.experts)
        let experts = planned.cell.experts()
        #expect(try model.logits(ids, experts) == own)
        #expect(experts.takeCosts().localPairs > 0)
        await planned.close()
    }

    /// Spare memory holds copies: a device that is cut off is stepped in for at once.
    @Test func spareMemoryHoldsCopies() async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let planned = try await Planned(model)
        planned.join(["a", "b"])
        try await planned.settle(2)
        planned.cell.cut("a")
        await planned.cell.coordinator.wait { $0.members.count == 1 }
        let experts = planned.cell.experts()
        #expect(try model.logits(ids, experts) == own)
        #expect(experts.takeCosts().localPairs == 0, "b has it all")
        await planned.close()
    }

    /// A plan that is interrupted leaves everything as it is, and so does one that fails.
    @Test(arguments: [true, false])
    func theOldPlacementStays(_ isCancelled: Bool) async throws {
        let model = try tinyModel("mixtral")
        let ids = try ExpectedModel("mixtral").input_ids
        let own = try model.logits(ids, LocalExperts(layers: model.experts))
        let (begun, beginning) = AsyncStream.makeStream(of: Void.self)
        let planned = try await Planned(model) { situation, bytes, isCancelled in
            guard situation.problem.devices.count > 1 else {
                return Replanner.search(situation, bytes, isCancelled)
            }
            beginning.finish()
            // A long search that looks whether it is still wanted.
            for _ in 0..<100_000 where isCancelled() { break }
            return nil
        }
        planned.join(["a"])
        try await planned.settle(1)
        let before = planned.cell.coordinator.membership
        planned.join(["b"])
        await planned.cell.coordinator.wait { $0.members.count == 2 }
        planned.replanner.glance()
        for await _ in begun {}
        if isCancelled { planned.replanner.cancel() }
        let experts = planned.cell.experts()
        #expect(try model.logits(ids, experts) == own)
        if !isCancelled {
            await planned.cell.coordinator.wait { planned.replanner.hasDecided(for: $0) }
        }
        try await planned.thread.run {}
        let after = planned.cell.coordinator.membership
        #expect(after.placement == before.placement && after.content == before.content)
        #expect(after.hasSpareDevices, "b waits")
        await planned.close()
    }
}
