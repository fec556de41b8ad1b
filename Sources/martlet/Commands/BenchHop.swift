import ArgumentParser
import Coordinator
import MoEModel
import NIOTransport
import SystemModel
import Tensors
import Wire

struct BenchHop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hop",
        abstract: "Measure what a layer's round trip to one device costs beyond its computing.",
        discussion: """
            Starts one device process on this machine, gives it a layer of random experts, and \
            calls the layer again and again with one token that visits two of them. The overhead \
            is the whole call less the time the device says it computed.
            """)

    @Option(help: "Round trips to measure.")
    var rounds = 2000

    @Option(help: "Hidden size; a row of activations has this many numbers.")
    var hidden = 2048

    @Option(help: "How activations travel: fp32, fp16 or int8.")
    var activations: ActivationCodec = .fp32

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (1...1_000_000).contains(rounds) else {
            throw ValidationError("--rounds takes 1 to 1000000")
        }
        guard (32...16_384).contains(hidden), hidden % 32 == 0 else {
            throw ValidationError("--hidden takes a multiple of 32 from 32 to 16384")
        }
    }

    func run() async throws {
        let experts = randomExperts()
        let shape = ModelShape(
            layers: 1, experts: experts.count, expertsPerToken: 2, hidden: hidden,
            expertBytes: [experts[0].byteCount])
        var options = Coordinator.Options()
        options.codec = activations
        options.shares = .equal
        let coordinator = Coordinator(
            shape: shape, experts: [experts], options: options, clock: SystemClock(),
            report: { _ in })
        let transport = Transport()
        let listener = try await transport.listen(
            host: "127.0.0.1", port: 0, onAccept: coordinator.accept)
        let devices = try LocalDevices(
            count: 1, endpoint: Endpoint(host: "127.0.0.1", port: listener.boundPort),
            memoryBytes: experts.reduce(0) { $0 + $1.byteCount }, onEnd: coordinator.recheck)
        await coordinator.wait { !$0.members.isEmpty || devices.ended }
        coordinator.replan()
        await coordinator.wait { ($0.isSettled && !$0.members.isEmpty) || devices.ended }
        let samples = devices.ended ? [] : try await measure(coordinator, experts)
        coordinator.close(reason: "the measurement is done")
        await listener.close()
        await transport.shutdown()
        devices.stop()
        guard !samples.isEmpty else { throw CommandError("the device process ended early") }
        try show(samples)
    }

    private func randomExperts() -> [ExpertWeights] {
        var generator = SeededGenerator(seed: 1)
        func matrix(rows: Int, columns: Int) -> QuantizedMatrix {
            let blocks = rows * columns / 32
            var bytes: [UInt8] = []
            bytes.reserveCapacity(blocks * 34)
            for _ in 0..<blocks {
                // An fp16 scale of about 0.001, then 32 random 8-bit numbers.
                bytes += [0x19, 0x14]
                for _ in 0..<4 {
                    withUnsafeBytes(of: generator.next()) { bytes += $0 }
                }
            }
            return QuantizedMatrix(
                rows: rows, columns: columns, format: .q8_0, bytes: WeightBytes(bytes))
        }
        return (0..<4).map { _ in
            ExpertWeights(
                gate: matrix(rows: 256, columns: hidden), up: matrix(rows: 256, columns: hidden),
                down: matrix(rows: hidden, columns: 256))
        }
    }

    /// Per round the whole call and the device's computing, in seconds.
    private func measure(
        _ coordinator: Coordinator, _ experts: [ExpertWeights]
    ) async throws -> [(total: Double, compute: Double)] {
        let (rounds, hidden) = (rounds, hidden)
        return try await InferenceThread().run {
            let clock = SystemClock()
            let remote = RemoteExperts(coordinator: coordinator, local: [experts])
            var generator = SeededGenerator(seed: 2)
            let row = (0..<hidden).map { _ in Float(generator.uniform() - 0.5) }
            let inputs = Matrix(rows: 1, columns: hidden, values: row)
            let routing = Routing(
                rows: 1,
                pairs: [0, 2].map { ExpertPair(row: 0, expert: $0, weight: 0.5) })
            var samples: [(total: Double, compute: Double)] = []
            for round in 0..<rounds + rounds / 10 + 10 {
                let start = clock.now
                _ = remote.mixture(layer: 0, inputs: inputs, routing: routing)
                let total = (clock.now - start).seconds
                let cost = remote.takeCosts()
                guard cost.localPairs == 0 else { continue }
                // The first ones warm up.
                guard round >= rounds / 10 + 10 else { continue }
                samples.append(
                    (total, cost.devices.values.reduce(0) { $0 + $1.computeSeconds }))
            }
            return samples
        }
    }

    private struct Result: Encodable {
        let rounds: Int
        let medianMicroseconds: Double
        let p90Microseconds: Double
        let p99Microseconds: Double
        let medianComputeMicroseconds: Double
        let medianRoundTripMicroseconds: Double
    }

    private func show(_ samples: [(total: Double, compute: Double)]) throws {
        func percentile(_ values: [Double], _ share: Double) -> Double {
            let sorted = values.sorted()
            return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] * 1e6
        }
        let overheads = samples.map { $0.total - $0.compute }
        let result = Result(
            rounds: samples.count,
            medianMicroseconds: percentile(overheads, 0.5),
            p90Microseconds: percentile(overheads, 0.9),
            p99Microseconds: percentile(overheads, 0.99),
            medianComputeMicroseconds: percentile(samples.map(\.compute), 0.5),
            medianRoundTripMicroseconds: percentile(samples.map(\.total), 0.5))
        guard !json else { return try Output.json(result) }
        Output.line(
            "hop overhead beyond computing, \(result.rounds) rounds of \(hidden) numbers in "
                + "\(activations): median \(Int(result.medianMicroseconds)) µs, p90 "
                + "\(Int(result.p90Microseconds)) µs, p99 \(Int(result.p99Microseconds)) µs "
                + "(round trip \(Int(result.medianRoundTripMicroseconds)) µs, computing "
                + "\(Int(result.medianComputeMicroseconds)) µs)")
    }
}
