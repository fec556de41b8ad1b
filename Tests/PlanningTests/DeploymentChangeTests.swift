import SystemModel
import Testing

@testable import Planning

/// From one deployment to the next, and what memory is left is used for.
struct DeploymentChangeTests {
    private static let problem = DeploymentProblems.drawn(
        layers: 4, experts: 6, visited: 2, tokens: 200, devices: 3, seed: 5)

    /// Experts by their numbers, in any order.
    private static func arbitrary(_ problem: DeploymentProblem, seed: UInt64) -> [[ExpertHome]] {
        DeploymentStarts(problem).drawn(seed: seed).map { layer in
            layer.map { ExpertHome(memory: $0 <= problem.devices.count ? $0 : nil) }
        }
    }

    private static func seconds(_ homes: [[ExpertHome]]) -> Double {
        problem.seconds(problem.cost(homes))
    }

    /// No more is shipped than allowed; what may be shipped is used.
    @Test(arguments: [0, 10, 30, 60]) func shipsAtMost(bytes: Int) throws {
        for seed in 0..<3 as Range<UInt64> {
            let old = Self.arbitrary(Self.problem, seed: seed)
            let new = try #require(
                DeploymentPlanner.plan(Self.problem, from: old, moveAtMost: bytes, slack: 0))
            #expect(DeploymentProblems.fits(new, Self.problem))
            #expect(Self.problem.shippedBytes(new, from: old, held: []) <= bytes)
            #expect(Self.seconds(new) <= Self.seconds(old))
            if bytes > 0 { #expect(Self.seconds(new) < Self.seconds(old)) }
        }
    }

    /// With any amount, what is found from a running plan is about as good as from nothing.
    @Test func startsAnywhere() throws {
        let fresh = Self.seconds(DeploymentPlanner.plan(Self.problem, slack: 0))
        for seed in 0..<3 as Range<UInt64> {
            let old = Self.arbitrary(Self.problem, seed: seed)
            let new = try #require(
                DeploymentPlanner.plan(Self.problem, from: old, moveAtMost: nil, slack: 0))
            #expect(Self.seconds(new) <= fresh * 1.02)
        }
    }

    /// What a device holds as a copy need not be shipped to it.
    @Test func copiesNeedNotBeShipped() throws {
        let old = Self.arbitrary(Self.problem, seed: 1)
        let everything = Self.problem.shape.expertBytes.indices.flatMap { layer in
            (0..<6).map { ExpertID(layer: layer, expert: $0) }
        }
        let held = [everything, everything, everything].map(Set.init)
        let new = try #require(
            DeploymentPlanner.plan(
                Self.problem, from: old, held: held, moveAtMost: 0, slack: 0))
        #expect(Self.problem.shippedBytes(new, from: old, held: held) == 0)
        #expect(Self.problem.shippedBytes(new, from: old, held: []) > 0)
    }

    /// A device that is gone or has less memory now: what does not fit is dealt again.
    @Test func fitsWhereLessMemoryIs() throws {
        let old = DeploymentPlanner.plan(Self.problem)
        var less = Self.problem
        less.devices[1].memoryBytes = 10
        let new = try #require(
            DeploymentPlanner.plan(less, from: old, moveAtMost: 20))
        #expect(DeploymentProblems.fits(new, less))
        #expect(less.shippedBytes(new, from: old, held: []) <= 20)
    }

    /// Nobody waits for a plan that is no longer wanted.
    @Test func canBeCancelled() {
        let old = Self.arbitrary(Self.problem, seed: 1)
        var questions = 0
        let plan = DeploymentPlanner.plan(Self.problem, from: old, moveAtMost: nil) {
            questions += 1
            return true
        }
        #expect(plan == nil)
        #expect(questions > 0 && questions < 1_000)
    }

    /// Spare memory holds groups again, never on the device that has them, as far as it reaches.
    @Test(arguments: 1...3) func copiesFillSpareMemory(count: Int) {
        var problem = Self.problem
        problem.fileSeconds = 1
        let homes = DeploymentPlanner.plan(problem)
        for index in problem.devices.indices { problem.devices[index].memoryBytes += 50 }
        let copies = DeploymentCopies.plan(problem, homes, copies: count)
        var held: [ExpertID: Int] = [:]
        let left = problem.bytesLeft(homes)
        for (device, experts) in copies.enumerated() {
            #expect(experts.count * 10 <= left[device + 1])
            #expect(Set(experts).count == experts.count)
            for id in experts {
                held[id, default: 0] += 1
                guard case .device(let home) = homes[id.layer][id.expert] else {
                    Issue.record("\(id) is on no device")
                    continue
                }
                #expect(home != device)
            }
        }
        #expect(held.values.allSatisfy { $0 < count })
        #expect(count == 1 || held.count >= 9)
    }

    /// All of a layer's experts of one device go to one other device where they fit.
    @Test func copiesGroupsWhole() {
        let homes: [[ExpertHome]] = [
            [.device(0), .device(0), .device(0), .resident, .file, .file],
            Array(repeating: .file, count: 6), Array(repeating: .file, count: 6),
            Array(repeating: .file, count: 6),
        ]
        let copies = DeploymentCopies.plan(Self.problem, homes, copies: 2)
        #expect(copies.map(\.count).sorted() == [0, 0, 3])
    }

    /// With nothing to ship copies stay where they are, and only there.
    @Test func copiesStay() {
        let homes: [[ExpertHome]] = [
            [.device(0), .device(0), .resident, .resident, .file, .file],
            Array(repeating: .file, count: 6), Array(repeating: .file, count: 6),
            Array(repeating: .file, count: 6),
        ]
        let old = ExpertID(layer: 0, expert: 1)
        let copies = DeploymentCopies.plan(
            Self.problem, homes, copies: 3, held: [[], [], [old]], shipAtMost: 0)
        #expect(copies == [[], [], [old]])
    }

    /// What is left of the base station's memory is used, even for what nobody was seen to visit.
    @Test func fillsTheBaseStation() {
        var problem = Self.problem
        problem.residentBytes = 1_000
        let homes = DeploymentPlanner.plan(problem)
        #expect(!homes.joined().contains(.file))
    }
}
