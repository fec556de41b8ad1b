import ArgumentParser
import Foundation
import Tokenizers

struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn standard input into token ids.",
        discussion: """
            The bytes are taken exactly, a newline at the end included; no BOS or EOS is added, \
            and special tokens in the text are recognised.

              printf 'Hello world' | martlet tokenize --model M.gguf
              martlet tokenize --model tokenizer.json --json < book.txt
            """)

    @OptionGroup var model: TokenizerOption

    @Flag(help: "Print one JSON object: ids.")
    var json = false

    func run() throws {
        let tokenizer = try model.open()
        let input = try FileHandle.standardInput.readToEnd() ?? Data()
        let ids = tokenizer.encode(bytes: [UInt8](input))
        guard json else { return Output.line(ids.map(String.init).joined(separator: ",")) }
        try Output.json(["ids": ids])
    }
}

struct Detokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn token ids on standard input into text.",
        discussion: """
            Ids are separated by commas or white space, or are a JSON array.

              echo 1,2,3 | martlet detokenize --model M.gguf
            """)

    @OptionGroup var model: TokenizerOption

    @Flag(help: "Print one JSON object: text.")
    var json = false

    func run() throws {
        let tokenizer = try model.open()
        let input = String(
            decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
        let ids = try ids(input, tokenizer.vocabularyCount)
        let text = tokenizer.decode(ids, skippingSpecialTokens: false)
        guard json else { return Output.write(text) }
        try Output.json(["text": text])
    }

    private func ids(_ input: String, _ count: Int) throws -> [Int] {
        let separators: Set<Character> = ["[", "]", ",", " ", "\n", "\r\n", "\t"]
        return try input.split(whereSeparator: separators.contains).map {
            guard let id = Int($0) else {
                throw CommandError("standard input: \"\($0)\" is not a whole number")
            }
            guard (0..<count).contains(id) else {
                throw CommandError(
                    "standard input: \(id) is outside the vocabulary, 0 to \(count - 1)")
            }
            return id
        }
    }
}
