import ArgumentParser
import Foundation
import MoEModel
import ModelFiles
import Tensors
import Tokenizers

/// `--model`, for every command that needs one.
struct ModelOption: ParsableArguments {
    @Option(help: "A GGUF file (of a split model the first part) or a Hugging Face folder.")
    var model: String

    @Option(
        help: """
            Precision of cached keys and values: auto, f32, f16 or q8_0; auto takes f16 beside \
            quantised weights, else f32.
            """
    )
    var kvCache = KeyValueCacheOption.auto

    @Option(
        help: """
            How weights come into memory: mapped, in place and shared with other processes; \
            huge-pages, copied once and packed, which computes faster and takes as much memory as \
            the file is large, beside what the system keeps of the file; or dense, all but routed \
            experts copied, for a base station whose devices hold those.
            """
    )
    var load = WeightLoading.mapped

    /// - Parameter kvMemory: most bytes of cached keys and values; nil for no limit.
    func open(kvMemory: Int? = nil) throws -> OpenedModel {
        try OpenedModel(
            path: model, loading: load, kvCache: kvCache.precision, kvMemory: kvMemory)
    }
}

extension WeightLoading: ExpressibleByArgument {}

/// `--kv-cache`.
enum KeyValueCacheOption: String, CaseIterable, ExpressibleByArgument {
    case auto, f32, f16, q8_0

    /// Nil leaves it to the model.
    var precision: KeyValuePrecision? { KeyValuePrecision(rawValue: rawValue) }
}

/// A model and what its file says besides.
struct OpenedModel: Sendable {
    let file: ModelFile
    let model: Model
    /// The memory of all sequences' keys and values.
    let keyValuePool: KeyValuePool

    /// - Parameters:
    ///   - loading: how the weights come into memory.
    ///   - kvCache: precision of keys and values; nil takes what suits the model.
    ///   - kvMemory: most bytes that they may take; nil for no limit.
    init(
        path: String, loading: WeightLoading = .mapped, kvCache: KeyValuePrecision? = nil,
        kvMemory: Int? = nil
    ) throws {
        file = try ModelFile.open(path, loading: loading)
        model = try Model(file)
        keyValuePool = KeyValuePool(model.transformer, precision: kvCache, bytesLimit: kvMemory)
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
