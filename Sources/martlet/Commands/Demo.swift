import ArgumentParser
import Foundation
import MoEModel
import SystemModel
import Tokenizers

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fly a base station and four devices on this machine, and shoot one down.",
        discussion: """
            Starts "martlet serve" and four times "martlet join" as processes of their own on \
            loopback, streams an answer for each of three domains, kills a device in the middle of \
            the last one, and compares every answer with the one that this process alone gives.
            """)

    @OptionGroup var model: ModelOption

    @Option(help: "Tokens of each answer.")
    var maxTokens = 48

    private static let deviceCount = 4
    private static let domains = [
        (name: "prose", prompt: "It was a cold evening, and the old man"),
        (name: "arithmetic", prompt: "Question: Tom has 3 apples and buys 5 more. How many"),
        (name: "Swift code", prompt: "public struct Stack<Element> {\n    private var"),
    ]

    func run() async throws {
        let interrupt = Interrupt()
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "martlet-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let flight = DemoFlight(folder: folder)
        let demo = self
        let outcome: Swift.Result<Bool?, any Error>
        do {
            outcome = .success(try await interrupt.race { try await demo.fly(flight) })
        } catch {
            outcome = .failure(error)
        }
        flight.land()
        try? FileManager.default.removeItem(at: folder)
        guard let identical = try outcome.get() else { throw ExitCode(130) }
        Output.line(
            "demo: devices=\(Self.deviceCount) domains=\(Self.domains.count) killed=1 "
                + "identical=\(identical)")
        if !identical { throw ExitCode.failure }
    }

    /// Whether every answer over devices was the one of this process alone.
    private func fly(_ flight: DemoFlight) async throws -> Bool {
        let expected = try await answersAlone()
        let address = try await flight.startBaseStation(
            model: model.model, waitDevices: Self.deviceCount)
        Output.note("base station on \(address); starting \(Self.deviceCount) devices")
        try flight.startDevices(Self.deviceCount, address: address)
        try await flight.waitUntilReady()
        var identical = true
        var cost = CostRecord()
        for (number, domain) in Self.domains.enumerated() {
            Output.line("\n── \(domain.name) ──")
            Output.write(domain.prompt)
            let isLast = number == Self.domains.count - 1
            let answer = try await flight.ask(domain.prompt, maxTokens: maxTokens) { count in
                guard isLast, count == maxTokens / 2 else { return }
                flight.kill(device: 2)
                Output.write("⟨device-3 killed⟩")
            }
            cost.add(answer.costs)
            let same = answer.tokens == expected[number]
            identical = identical && same
            Output.line(same ? "\n✓ the tokens of one process alone" : "\n✗ other tokens")
        }
        show(cost, held: flight.held)
        return identical
    }

    /// The tokens for each prompt with all experts in this process.
    private func answersAlone() async throws -> [[Int]] {
        let opened = try model.open()
        let tokenizer = try opened.tokenizer()
        let engine = Engine(opened, station: nil, deadline: 1)
        var answers: [[Int]] = []
        for domain in Self.domains {
            let answer = Answer(tokenizer, shows: .nothing, costs: false)
            try await engine.generate(
                tokenizer.promptIDs(domain.prompt), limit: maxTokens,
                sampling: SamplingOptions(), stop: tokenizer.endOfTextIDs, onToken: answer.add)
            answers.append(answer.finish().tokens)
        }
        return answers
    }

    private func show(_ cost: CostRecord, held: [String: Int]) {
        let head = ["device", "experts", "visits", "down", "up", "compute", "round trips", "lost"]
        let rows = cost.devices.sorted { $0.key < $1.key }.map { name, device in
            [
                name, "\(held[name] ?? 0)", "\(device.pairs)",
                Readable.bytes(device.downlinkBytes), Readable.bytes(device.uplinkBytes),
                Readable.milliseconds(device.computeSeconds),
                Readable.milliseconds(device.roundTripSeconds), "\(device.lostFrames)",
            ]
        }
        Output.line("\n" + Readable.table([head] + rows))
        Output.line(
            "base station: \(cost.localPairs) of \(cost.pairs) expert visits computed here\n")
    }
}
