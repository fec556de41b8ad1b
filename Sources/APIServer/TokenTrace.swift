import OrderedJSON
import Serving

/// A chunk of a stream that tells which experts a token visited, and where: sent after the token's
/// own chunks where the request says `"martlet": {"trace": true}`. It has no choices, as OpenAI's
/// usage chunk has none, so clients that do not know it pass it by.
struct TokenTrace {
    let token: CompletionToken
    /// The answer's position.
    let index: Int

    func json(_ model: ServedModel) -> JSONValue {
        .members([
            ("object", .text("martlet.trace")), ("model", .text(model.name)),
            ("choices", .array([])),
            (
                "martlet",
                .members([
                    ("index", .integer(index)), ("token", .integer(token.score.id)),
                    ("text", .text(TokenText(token.score.id, model).text)),
                    ("visits", .array(token.visits.map { .array($0.map(Self.visit)) })),
                ])
            ),
        ])
    }

    private static func visit(_ visit: ExpertVisit) -> JSONValue {
        .members([
            ("expert", .integer(visit.expert)),
            ("device", visit.device.map(JSONValue.text) ?? .null),
        ])
    }
}
