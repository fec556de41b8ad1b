import ArgumentParser

/// What a file is damaged and read as.
enum FuzzFormat: String, CaseIterable, ExpressibleByArgument, Encodable {
    case gguf, safetensors, config, tokenizer, template

    /// What a file's name says of it; nil for a name that says nothing.
    init?(file: String) {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        switch name {
        case "config.json": self = .config
        case _ where name.hasSuffix("tokenizer.json"): self = .tokenizer
        case _ where name.hasSuffix(".gguf"): self = .gguf
        case _ where name.hasSuffix(".safetensors"): self = .safetensors
        case _ where name.hasSuffix(".jinja"): self = .template
        default: return nil
        }
    }
}
