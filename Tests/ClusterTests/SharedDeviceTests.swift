import Coordinator
import MoEModel
import SystemModel
import TestSupport
import Testing
import Worker

/// One device that serves several base stations, each with a model of its own.
@Suite(.timeLimit(.minutes(5))) struct SharedDeviceTests {
    /// A base station and the answer that it gives without any device.
    private struct Station {
        let cell: TestCell
        let prompt: [Int]
        let alone: [Int]

        init(_ name: String, _ depth: Depth, count: Int) async throws {
            let model = try tinyModel(name)
            prompt = try ExpectedModel(name).greedy_prompt
            alone = try model.generate(
                prompt, count: count, LocalExperts(layers: model.experts))
            cell = try await TestCell(model, depth)
        }

        func isServed(by machine: SharedMachine, as number: Int) async {
            cell.join("shared", machine: machine, station: number)
            await cell.coordinator.wait { $0.members.count == 1 }
            cell.coordinator.replan()
            await cell.coordinator.wait { $0.isComplete }
        }
    }

    /// All answer at the same time through the same device and get the tokens that they get alone;
    /// then one base station ends, and the others go on as before.
    @Test(arguments: Depth.allCases)
    func eachStationGetsItsOwnTokens(_ depth: Depth) async throws {
        let folder = try TemporaryFolder()
        let machine = SharedMachine(store: try BlobStore(directory: folder.path + "/cache"))
        // Two experts per token in both, so that distributed equals local bit for bit.
        let stations = [
            try await Station("mixtral", depth, count: 24),
            try await Station("mixtral", depth, count: 24),
            try await Station("gpt_oss", depth, count: 24),
        ]
        for (number, station) in stations.enumerated() {
            await station.isServed(by: machine, as: number)
        }
        try await Self.answer(stations)
        await stations[0].cell.close()
        try await Self.answer(Array(stations.dropFirst()))
        for station in stations.dropFirst() { await station.cell.close() }
    }

    private static func answer(_ stations: [Station]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for station in stations {
                group.addTask {
                    let (cell, prompt) = (station.cell, station.prompt)
                    let answer = try await InferenceThread().run {
                        try cell.model.answer(prompt, count: 24, cell.experts())
                    }
                    #expect(answer.tokens == station.alone)
                    #expect(answer.cost.localPairs == 0, "the device computed everything")
                }
            }
            try await group.waitForAll()
        }
    }

    /// The same model twice: what one base station has shipped, the other need not ship again.
    @Test func theCacheIsShared() async throws {
        let folder = try TemporaryFolder()
        let machine = SharedMachine(store: try BlobStore(directory: folder.path + "/cache"))
        var shipped: [Int] = []
        var stations: [Station] = []
        for number in 0..<2 {
            let station = try await Station("mixtral", .inProcess, count: 1)
            await station.isServed(by: machine, as: number)
            shipped += station.cell.coordinator.membership.members.values.map(\.bytesFetched)
            stations.append(station)
        }
        let shape = stations[0].cell.model.shape
        #expect(shipped == [shape.expertBytes.reduce(0) { $0 + $1 * shape.experts }, 0])
        for station in stations { await station.cell.close() }
    }
}
