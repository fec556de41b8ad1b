import OrderedJSON
import Serving
import Tokenizers

/// How one kind of request writes its answers: whole, or piece by piece.
protocol AnswerFormat: Sendable {
    /// One request for each answer, in the order of their positions.
    var requests: [CompletionRequest] { get }
    /// How many answers each prompt has.
    var answersPerPrompt: Int { get }
    var sampling: SamplingFields { get }
    /// The chunks that open a stream.
    func opening() -> [JSONValue]
    /// The chunks that an event makes. Called in order; `index` is the answer's position.
    mutating func chunks(_ event: CompletionEvent, index: Int) -> [JSONValue]
    /// The chunk that tells the usage.
    func usageChunk(_ usage: JSONValue) -> JSONValue
    /// The whole response, after all events went through `chunks`.
    func response(_ usage: JSONValue) -> JSONValue
}

/// One token's text as the API tells it.
struct TokenText {
    let text: String
    let bytes: [UInt8]

    init(_ id: Int, _ model: ServedModel) {
        text = model.tokenizer.decode([id], skippingSpecialTokens: false)
        bytes = model.tokenizer.bytes(of: id)
    }
}
