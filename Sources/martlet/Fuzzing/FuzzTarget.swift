import ChatTemplates
import Foundation
import MoEModel
import ModelFiles
import SystemModel
import Tensors
import Tokenizers

/// One file, and how it is damaged and read.
struct FuzzTarget {
    /// Every mutation copies the file.
    static let fileBytes = 256 << 20

    let file: String
    let format: FuzzFormat
    private let bytes: [UInt8]
    /// The undamaged model around a config.json or a safetensors file; nil where there is none.
    private let model: ModelFile?
    /// Bytes in front of a GGUF file's tensors.
    private let headerBytes: Int

    init(file: String, format: FuzzFormat) throws {
        self.file = file
        self.format = format
        let size = try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
        guard size ?? 0 <= Self.fileBytes else {
            throw CommandError(
                "\(file): has \(size ?? 0) bytes, the limit is \(Self.fileBytes), since every "
                    + "mutation copies it")
        }
        do {
            bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        } catch {
            throw CommandError("\(file): cannot be read")
        }
        switch format {
        case .gguf: headerBytes = try GGUFFile(path: file).dataOffset
        case .safetensors: headerBytes = try Self.headerBytes(bytes, file)
        default: headerBytes = bytes.count
        }
        model = Self.model(around: file, format)
        // What is refused undamaged would be refused at every mutation; a template may refuse this
        // one conversation.
        guard format != .template else { return }
        do {
            try read(bytes)
        } catch {
            throw CommandError("\(file): is refused as it is: \(error)")
        }
    }

    /// The file as mutation `number` of `seed` leaves it.
    func damaged(seed: UInt64, number: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: seed &+ UInt64(number))
        switch format {
        case .gguf:
            // Half of the damage to the first entries: behind them is mostly vocabulary.
            let near = Bool.random(using: &generator) ? min(2048, headerBytes) : headerBytes
            return Fuzzer.mutate(bytes, in: 0..<near, using: &generator)
        case .safetensors: return damagedSafeTensors(using: &generator)
        case .config, .tokenizer: return Fuzzer.mutateJSON(bytes, using: &generator)
        case .template: return Fuzzer.mutate(bytes, in: 0..<bytes.count, using: &generator)
        }
    }

    /// Reads and uses what the bytes say.
    ///
    /// - Throws: why they are refused.
    func read(_ bytes: [UInt8]) throws {
        switch format {
        case .gguf: try readGGUF(bytes)
        case .safetensors:
            guard let model else { return try Fuzzer.read(bytes, as: .safetensors) }
            try compute(Model(try model.replacing(safeTensors: WeightBytes(bytes))))
        case .config:
            guard let model else { return try Fuzzer.read(bytes, as: .json) }
            try compute(Model(try model.replacing(config: bytes)))
        case .tokenizer: try Fuzzer.read(bytes, as: .tokenizer)
        case .template:
            let source = String(decoding: bytes, as: UTF8.self)
            _ = try ChatTemplate(source, name: file).render(
                Self.conversation, now: CivilTime(year: 2026, month: 1, day: 15))
        }
    }

    private func readGGUF(_ bytes: [UInt8]) throws {
        let opened = try GGUFFile(bytes: WeightBytes(bytes), file: file)
        let tokenizer = Result { Fuzzer.use(try Tokenizer(vocabulary: try opened.vocabulary())) }
        try compute(Model(opened))
        try tokenizer.get()
    }

    /// Two tokens through the model, the first and the last of the vocabulary.
    private func compute(_ model: Model) throws {
        var cache = KeyValuePool(model.transformer).makeCache()
        _ = try model.transformer.forward(
            [0, model.configuration.vocabulary - 1], cache: &cache, rows: .last,
            selector: model.selector, experts: LocalExperts(layers: model.experts))
    }

    /// Damages the directory as JSON and corrects its length, or damages any byte in front of
    /// the tensors.
    private func damagedSafeTensors(using generator: inout SeededGenerator) -> [UInt8] {
        guard Int.random(in: 0..<4, using: &generator) > 0 else {
            return Fuzzer.mutate(bytes, in: 0..<headerBytes, using: &generator)
        }
        let directory = Fuzzer.mutateJSON(Array(bytes[8..<headerBytes]), using: &generator)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: directory.count >> (8 * $0)) }
        return length + directory + bytes[headerBytes...]
    }

    private static func headerBytes(_ bytes: [UInt8], _ file: String) throws -> Int {
        try Fuzzer.read(bytes, as: .safetensors)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return 8 + length
    }

    private static func model(around file: String, _ format: FuzzFormat) -> ModelFile? {
        switch format {
        case .safetensors: try? ModelFile.open(file)
        case .config: try? ModelFile.open(URL(filePath: file).deletingLastPathComponent().path)
        default: nil
        }
    }

    /// A conversation that takes templates through their longer branches.
    private static let conversation: TemplateObject = [
        "messages": .array([
            .object(["role": .string("system"), "content": .string("Be brief.")]),
            .object(["role": .string("user"), "content": .string("Weather?")]),
            .object([
                "role": .string("assistant"), "content": .string(""),
                "tool_calls": .array([
                    .object([
                        "id": .string("call00001"), "type": .string("function"),
                        "function": .object([
                            "name": .string("weather"),
                            "arguments": .object(["city": .string("Oslo")]),
                        ]),
                    ])
                ]),
            ]),
            .object(["role": .string("tool"), "content": .string("{\"celsius\": 7.5}")]),
        ]),
        "tools": .array([
            .object([
                "type": .string("function"),
                "function": .object([
                    "name": .string("weather"), "description": .string("Weather at a place."),
                    "parameters": .object([
                        "type": .string("object"),
                        "properties": .object([
                            "city": .object(["type": .string("string")])
                        ]),
                    ]),
                ]),
            ])
        ]),
        "add_generation_prompt": .bool(true), "bos_token": .string("<s>"),
        "eos_token": .string("</s>"),
    ]
}
