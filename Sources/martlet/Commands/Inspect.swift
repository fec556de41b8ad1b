import ArgumentParser
import MoEModel
import ModelFiles
import SystemModel
import Tensors

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is in a model file: metadata, tensors, experts, sizes.")

    @Argument(help: "A GGUF file (of a split model the first part) or a Hugging Face folder.")
    var model: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let file = try ModelFile.open(model)
        guard json else { return show(file) }
        try Output.json(Summary(file))
    }

    private func show(_ file: ModelFile) {
        let summary = Summary(file)
        Output.line("\(file.path): \(summary.format), \(summary.parts) file(s)")
        if let gguf = file.gguf {
            Output.line("\nmetadata")
            let rows = gguf.keys.map { ["  \($0)", gguf.metadata[$0]?.summary ?? ""] }
            Output.line(Readable.table(rows, aligned: .left))
        }
        Output.line("\ntensors")
        let rows = file.archive.entries.map { entry in
            [
                "  \(entry.name)", entry.format.name,
                entry.dimensions.map(String.init).joined(separator: " × "),
                Readable.bytes(entry.bytes.count),
            ]
        }
        Output.line(Readable.table(rows))
        Output.line("\n\(summary.tensors.count) tensors, \(Readable.bytes(summary.tensorBytes))")
        guard let model = summary.model else {
            return Output.line("martlet cannot run it: \(summary.problem ?? "")")
        }
        Output.line(
            "\(model.layers) layers, hidden \(model.hidden), vocabulary \(model.vocabulary), "
                + "context \(model.contextLength)")
        if model.experts > 0 {
            Output.line(
                "\(model.experts) experts a layer, \(model.expertsPerToken) per token, "
                    + "\(Readable.bytes(model.expertBytes)) in all, the largest "
                    + Readable.bytes(model.largestExpertBytes))
        }
    }

    /// What `--json` prints.
    private struct Summary: Encodable {
        struct Tensor: Encodable {
            let name: String
            let format: String
            let shape: [Int]
            let bytes: Int
        }

        struct Sizes: Encodable {
            let architecture: String
            let layers: Int
            let hidden: Int
            let vocabulary: Int
            let contextLength: Int
            let experts: Int
            let expertsPerToken: Int
            let expertBytes: Int
            let largestExpertBytes: Int
        }

        let file: String
        let format: String
        let parts: Int
        let metadata: [String: String]
        let tensors: [Tensor]
        let tensorBytes: Int
        let model: Sizes?
        /// Why the model cannot be run; nil if it can.
        let problem: String?

        init(_ file: ModelFile) {
            self.file = file.path
            format = file.gguf.map { "GGUF version \($0.version)" } ?? "Hugging Face folder"
            parts = file.gguf?.partCount ?? 1
            metadata = file.gguf?.metadata.mapValues(\.summary) ?? [:]
            tensors = file.archive.entries.map {
                Tensor(
                    name: $0.name, format: $0.format.name, shape: $0.dimensions,
                    bytes: $0.bytes.count)
            }
            tensorBytes = tensors.reduce(0) { $0 + $1.bytes }
            do {
                let (shape, configuration) = try Self.sizes(file)
                model = Sizes(
                    architecture: configuration.architecture, layers: shape.layers,
                    hidden: shape.hidden, vocabulary: configuration.vocabulary,
                    contextLength: configuration.contextLength, experts: shape.experts,
                    expertsPerToken: shape.expertsPerToken,
                    expertBytes: shape.expertBytes.reduce(0) { $0 + $1 * shape.experts },
                    largestExpertBytes: shape.expertBytes.max() ?? 0)
                problem = nil
            } catch {
                model = nil
                problem = "\(error)"
            }
        }

        private static func sizes(
            _ file: ModelFile
        ) throws(ModelFileError) -> (ModelShape, ModelConfiguration) {
            let model = try Model(file)
            return (model.shape, model.configuration)
        }
    }
}
