import Serving
import WebFiles

/// `/openapi.json`: what the server takes and gives. Edited in `Sources/WebFiles/Resources`.
enum OpenAPIDocument {
    /// The document with the model's limits.
    static func text(_ model: ServedModel) -> String {
        String(decoding: WebFile.openAPI.bytes, as: UTF8.self)
            .replacing("\"$lastToken\"", with: "\(model.vocabulary - 1)")
            .replacing("\"$positions\"", with: "\(model.engine.positionsLimit)")
    }
}
