import Coordinator
import Foundation
import SystemModel
import Tokenizers

/// `serve --stdin`: each line on standard input is a prompt.
extension Serve {
    /// Answers until the input ends, and gives devices their experts until Ctrl-C.
    func runStandardInput() async throws {
        let interrupt = Interrupt()
        let opened = try model.open(kvMemory: kvMemory?.count ?? Self.kvMemory)
        let tokenizer = try opened.tokenizer()
        let station = try await BaseStation.start(
            opened, devices, at: devicesListen ?? Endpoint(host: "127.0.0.1", port: 7070),
            localDevices: nil, wanted: waitDevices, keepsAhead: keepAhead == .auto)
        let served = self
        let outcome: Swift.Result<Void?, any Error>
        do {
            if json { try Output.json(["listening": station.endpoint.description]) }
            outcome = .success(
                try await interrupt.race { try await served.answer(opened, tokenizer, station) })
        } catch {
            outcome = .failure(error)
        }
        await station.stop()
        _ = try outcome.get()
    }

    private func answer(
        _ opened: OpenedModel, _ tokenizer: Tokenizer, _ station: BaseStation
    ) async throws {
        let engine = Engine(opened, station: station, deadline: devices.deadline)
        let dealing = try ExpertDealing(
            station, opened.model, devices, replanMode, on: engine.thread)
        let (ready, readiness) = AsyncStream.makeStream(of: Void.self)
        let waits = waitDevices > 0
        let running = Task {
            defer { readiness.finish() }
            try await dealing.run(waiting: waits) { readiness.finish() }
        }
        defer { running.cancel() }
        for await _ in ready {}
        try Task.checkCancellation()
        if json { try Output.json(Ready(station.coordinator.membership)) }
        for await line in StandardInput.lines() {
            try Task.checkCancellation()
            do {
                try await answer(line, engine, tokenizer)
            } catch let error as CommandError {
                if json { try Output.json(["error": error.description]) }
                Output.note(error.description)
            }
        }
        Output.note("no more prompts; serving devices until Ctrl-C")
        try await Task.sleep(for: .seconds(Double(Int32.max)))
    }

    /// Who is there when the first prompt may come, and how many experts each holds.
    private struct Ready: Encodable {
        let ready: Int
        let experts: [String: Int]

        init(_ membership: MembershipState) {
            ready = membership.members.count
            experts = [String: Int](
                membership.members.values.map { ($0.description.name, $0.ready.count) },
                uniquingKeysWith: max)
        }
    }

    private struct Request: Decodable {
        let prompt: String
        let maxTokens: Int?
    }

    private struct Result: Encodable {
        let tokens: [Int]
        let text: String
        let costs: CostSummary
    }

    private func answer(_ line: String, _ engine: Engine, _ tokenizer: Tokenizer) async throws {
        let request = try request(line)
        let ids = tokenizer.promptIDs(request.prompt)
        try engine.opened.check(ids)
        let answer = Answer(tokenizer, shows: json ? .lines : .text, costs: false)
        try await engine.generate(
            ids, limit: request.maxTokens ?? maxTokens, sampling: sampling.options,
            stop: tokenizer.endOfTextIDs, onToken: answer.add)
        let result = answer.finish()
        if json {
            try Output.json(
                Result(
                    tokens: result.tokens, text: result.text, costs: CostSummary(result.cost)))
        } else {
            Output.write("\n")
            Output.note(result.cost.report)
        }
    }

    private func request(_ line: String) throws -> Request {
        guard json else { return Request(prompt: line, maxTokens: nil) }
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(line.utf8)) else {
            throw CommandError("standard input: a line is not {\"prompt\": TEXT, \"maxTokens\": N}")
        }
        return request
    }
}
