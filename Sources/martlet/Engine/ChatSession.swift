import Foundation
import MoEModel
import Tokenizers

/// A conversation at a terminal: lines come, answers stream, Ctrl-C stops.
///
/// One loop handles what happens, in order; nothing else changes the session.
struct ChatSession {
    /// What happens.
    private enum Event: Sendable {
        case line(String)
        case endOfInput
        case signal(Int32)
        /// The answer to the last question ended: its tokens, and why if not by itself.
        case answered(question: String, tokens: [Int], failure: (any Error)?)
    }

    private let engine: Engine
    private let sampling: SamplingOptions
    private let maxTokens: Int
    private let costs: Bool
    private var conversation: Conversation
    private let events: AsyncStream<Event>
    private let send: AsyncStream<Event>.Continuation
    private let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1

    /// Lines that came while an answer was on its way.
    private var waiting: [String] = []
    private var inputEnded = false
    private var answer: Task<Void, Never>?
    private var isStopping = false

    init(
        _ engine: Engine, _ conversation: Conversation, sampling: SamplingOptions, maxTokens: Int,
        costs: Bool
    ) {
        self.engine = engine
        self.conversation = conversation
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.costs = costs
        (events, send) = AsyncStream.makeStream(of: Event.self)
    }

    /// Talks until the input or the user ends it.
    ///
    /// - Throws: what ended an answer other than the user.
    mutating func run(_ interrupt: Interrupt) async throws {
        let listeners = listen(interrupt)
        defer {
            for listener in listeners { listener.cancel() }
            answer?.cancel()
        }
        if isTerminal {
            Output.note("/reset begins a new conversation, /exit or Ctrl-D ends; Ctrl-C stops")
        }
        sign()
        for await event in events {
            guard try goesOn(after: event) else { return }
            if answer == nil {
                while answer == nil, !waiting.isEmpty {
                    guard take(waiting.removeFirst()) else { return }
                }
                if answer == nil, inputEnded { return }
            }
        }
    }

    /// Lets lines and signals come in as events.
    private func listen(_ interrupt: Interrupt) -> [Task<Void, Never>] {
        let send = send
        let lines = Task {
            for await line in StandardInput.lines() { send.yield(.line(line)) }
            send.yield(.endOfInput)
        }
        let signals = Task {
            for await number in interrupt.signals { send.yield(.signal(number)) }
        }
        return [lines, signals]
    }

    private mutating func goesOn(after event: Event) throws -> Bool {
        switch event {
        case .line(let line): waiting.append(line)
        case .endOfInput: inputEnded = true
        case .signal(let number):
            guard let answer, number == SIGINT, !isStopping else {
                Output.note("")
                return false
            }
            isStopping = true
            answer.cancel()
        case .answered(let question, let tokens, let failure):
            try finish(question, tokens, failure)
        }
        return true
    }

    /// Obeys a command or begins an answer; whether the session goes on.
    private mutating func take(_ line: String) -> Bool {
        switch line.trimmingCharacters(in: .whitespaces) {
        case "/exit": return false
        case "/reset":
            conversation.reset()
            sign()
        case "": sign()
        default:
            do {
                try begin(line)
            } catch {
                Output.note("\(error)")
                sign()
            }
        }
        return true
    }

    private mutating func begin(_ question: String) throws {
        let (ids, room) = try conversation.ids(asking: question)
        try engine.opened.check(ids)
        isStopping = false
        let shown = Answer(conversation.tokenizer, shows: .text, costs: false)
        let (engine, sampling, limit) = (engine, sampling, min(maxTokens, room))
        let (stop, costs, send) = (conversation.stop, costs, send)
        answer = Task {
            var failure: (any Error)?
            do {
                try await engine.generate(
                    ids, limit: limit, sampling: sampling, stop: stop, onToken: shown.add)
            } catch {
                failure = error
            }
            let result = shown.finish()
            Output.write("\n")
            if costs { Output.note(result.cost.report) }
            if failure == nil, result.tokens.count == room {
                Output.note("the model's context is full; /reset begins a new conversation")
            }
            send.yield(
                .answered(question: question, tokens: result.tokens, failure: failure))
        }
    }

    /// Keeps what was said, also of an answer that the user stopped.
    private mutating func finish(
        _ question: String, _ tokens: [Int], _ failure: (any Error)?
    ) throws {
        answer = nil
        if let failure, !(failure is CancellationError) { throw failure }
        conversation.add(question: question, answer: tokens)
        sign()
    }

    /// The prompt sign, where somebody sees it.
    private func sign() {
        if isTerminal { Output.write("> ") }
    }
}
