import ArgumentParser
import Foundation
import MoEModel
import ModelFiles
import Tokenizers

/// `--model`, for every command that needs one.
struct ModelOption: ParsableArguments {
    @Option(help: "A GGUF file (of a split model the first part) or a Hugging Face folder.")
    var model: String

    func open() throws -> OpenedModel {
        try OpenedModel(path: model)
    }
}

/// A model and what its file says besides.
struct OpenedModel: Sendable {
    let file: ModelFile
    let model: Model

    init(path: String) throws {
        file = try ModelFile.open(path)
        model = try Model(file)
    }

    func tokenizer() throws -> Tokenizer {
        try file.makeTokenizer()
    }

    /// Refuses ids that the model does not have.
    func check(_ ids: [Int]) throws {
        let count = model.configuration.vocabulary
        guard !ids.isEmpty else { throw CommandError("ids: at least one is needed") }
        if let wrong = ids.first(where: { !(0..<count).contains($0) }) {
            throw CommandError("ids: \(wrong) is outside the vocabulary, 0 to \(count - 1)")
        }
        let limit = model.configuration.contextLength
        guard ids.count <= limit else {
            throw CommandError("ids: \(ids.count) are more than the model's context of \(limit)")
        }
    }
}
