import Hummingbird
import Synchronization

/// What a request took, for its line in the log: filled in while it is answered.
final class RequestRecord: Sendable {
    /// Tokens so far.
    struct Tokens: Sendable {
        var prompt = 0
        var answer = 0
    }

    private let state = Mutex(Tokens())

    var tokens: Tokens { state.withLock { $0 } }

    /// Sets what the request's answers took together.
    func note(_ usage: Usage) {
        state.withLock { ($0.prompt, $0.answer) = (usage.promptTokens, usage.answerTokens) }
    }
}

/// What goes with a request through all checks to its route.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let record = RequestRecord()

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}
