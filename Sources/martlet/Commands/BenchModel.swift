import ArgumentParser
import Foundation
import MoEModel
import ModelFiles
import SystemModel
import Tensors

struct BenchModel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Measure how fast a model reads a prompt and decodes.",
        discussion: """
            Random tokens of a fixed seed; one run to warm up, then the mean and the standard \
            deviation of the repetitions, where the time went, and what was reached of this machine's \
            ceilings (bench roof). With --batch N, N sequences decode together and their \
            tokens count together.

              martlet bench --model M.gguf
              martlet bench --model M.gguf --prompt 0 --generate 64 --batch 8 --threads 1
              martlet bench --model M.gguf --local-devices 4 --json
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var devices: DeviceOptions

    @Option(help: "Tokens of the prompt; 0 leaves the prompt out.")
    var prompt = 512

    @Option(help: "Tokens that each sequence decodes; 0 leaves decoding out.")
    var generate = 128

    @Option(help: "Sequences that decode together.")
    var batch = 1

    @Option(help: "Measured runs of each.")
    var repetitions = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard (0...65_536).contains(prompt), (0...65_536).contains(generate) else {
            throw ValidationError("--prompt and --generate take 0 to 65536")
        }
        guard prompt + generate > 0 else {
            throw ValidationError("--prompt and --generate are both 0: nothing to measure")
        }
        guard (1...256).contains(batch) else {
            throw ValidationError("--batch takes 1 to 256")
        }
        guard (1...1000).contains(repetitions) else {
            throw ValidationError("--repetitions takes 1 to 1000")
        }
    }

    func run() async throws {
        let opened = try model.open()
        let room = opened.model.configuration.contextLength
        guard max(prompt, DecodingRun.promptTokens + generate) <= room else {
            throw CommandError("--prompt or --generate: the model's context holds \(room) tokens")
        }
        let report = try await Engine.run(opened, devices) { engine in
            BenchReport(
                threads: ThreadPool.shared.threads, load: model.load.rawValue,
                prompt: prompt > 0 ? try await measurePrompt(engine) : nil,
                generate: generate > 0 ? try await measureDecoding(engine) : nil,
                roof: try MachineRoof.measure())
        }
        if json { return try Output.json(report) }
        Output.write(report.table + "\n")
    }

    private func measurePrompt(_ engine: Engine) async throws -> BenchReport.Speed {
        let ids = randomIDs(prompt, engine)
        let pool = engine.opened.keyValuePool
        return try await measure(tokens: prompt, sequences: 1, engine) { model in
            var cache = pool.makeCache()
            return try model.timed {
                var rest = ids[...]
                while !rest.isEmpty {
                    let part = Array(rest.prefix(Generation.prefillRows))
                    rest = rest.dropFirst(part.count)
                    _ = try model.transformer.forward(
                        part, cache: &cache, rows: rest.isEmpty ? .last : .none,
                        selector: model.traffic, experts: model.experts, timer: model.timer)
                    model.traffic.passed(rows: part.count, headRows: rest.isEmpty ? 1 : 0)
                }
            }
        }
    }

    private func measureDecoding(_ engine: Engine) async throws -> BenchReport.Speed {
        let ids = randomIDs(DecodingRun.promptTokens * batch, engine)
        let pool = engine.opened.keyValuePool
        let (batch, count) = (batch, generate)
        return try await measure(tokens: generate, sequences: batch, engine) { model in
            var run = try DecodingRun(model, ids, sequences: batch, pool)
            return try model.timed {
                for _ in 0..<count { try run.step() }
            }
        }
    }

    /// Runs `body`, which returns seconds, once to warm up and then again and again.
    private func measure(
        tokens: Int, sequences: Int, _ engine: Engine,
        _ body: @escaping @Sendable (BenchedModel) throws -> Double
    ) async throws -> BenchReport.Speed {
        var runs: [BenchReport.Run] = []
        for repetition in 0...repetitions {
            let opened = engine.opened
            let run = try await engine.work { transformer, selector, experts in
                let model = BenchedModel(
                    transformer: transformer, traffic: BenchTraffic(opened.model, selector),
                    experts: experts, timer: PhaseTimer(clock: SystemClock()))
                return try BenchReport.Run(model) { try body(model) }
            }
            if repetition > 0 { runs.append(run) }
        }
        return BenchReport.Speed(tokens: tokens, batch: sequences, runs)
    }

    private func randomIDs(_ count: Int, _ engine: Engine) -> [Int] {
        var random = SeededGenerator(seed: 1)
        let vocabulary = engine.opened.model.configuration.vocabulary
        return (0..<count).map { _ in Int.random(in: 0..<vocabulary, using: &random) }
    }
}

/// What a measurement runs.
struct BenchedModel {
    let transformer: Transformer
    let traffic: BenchTraffic
    let experts: any ExpertExecutor
    let timer: PhaseTimer

    /// Seconds that `body` takes; what was counted before it is forgotten.
    func timed(_ body: () throws -> Void) rethrows -> Double {
        _ = experts.takeCosts()
        _ = traffic.take()
        timer.reset()
        let clock = SystemClock()
        let start = clock.now
        try body()
        return (clock.now - start).seconds
    }
}

extension BenchReport.Run {
    /// - Parameter body: returns its seconds.
    init(_ model: BenchedModel, _ body: () throws -> Double) rethrows {
        let seconds = try body()
        let (costs, traffic) = (model.experts.takeCosts(), model.traffic.take())
        self.init(
            seconds: seconds, attention: model.timer.seconds(.attention),
            router: model.timer.seconds(.router), experts: model.timer.seconds(.experts),
            head: model.timer.seconds(.head), waiting: costs.networkWaitSeconds,
            wireBytes: costs.devices.values.reduce(0) { $0 + $1.downlinkBytes + $1.uplinkBytes },
            bytes: traffic.bytes, operations: traffic.operations)
    }
}

/// Sequences that decode together, each its likeliest tokens.
private struct DecodingRun {
    /// Tokens that each sequence has read before it is measured.
    static let promptTokens = 16

    private let model: BenchedModel
    private var caches: [KeyValueCache]
    private var next: [Int]

    init(
        _ model: BenchedModel, _ ids: [Int], sequences: Int, _ pool: KeyValuePool
    ) throws {
        self.model = model
        caches = []
        next = []
        for sequence in 0..<sequences {
            let prompt = ids[sequence * Self.promptTokens..<(sequence + 1) * Self.promptTokens]
            var cache = pool.makeCache()
            let logits = try model.transformer.forward(
                Array(prompt), cache: &cache, rows: .last, selector: model.traffic,
                experts: model.experts)
            caches.append(cache)
            next.append(greatest(logits.row(0)))
        }
    }

    mutating func step() throws {
        var steps = zip(next, caches).map { SequenceStep(ids: [$0], cache: $1, rows: .last) }
        // The steps are to hold the pages alone, or they would copy what they write to.
        caches = []
        let logits = try model.transformer.forward(
            &steps, selector: model.traffic, experts: model.experts, timer: model.timer)
        model.traffic.passed(rows: steps.count, headRows: steps.count)
        caches = steps.map(\.cache)
        next = logits.map { greatest($0.row(0)) }
    }
}
