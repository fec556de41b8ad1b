import APIServer
import ArgumentParser
import Foundation

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Keep the file of keys that \"serve --api-keys\" reads.",
        discussion: "The file has a digest of each key and its name; the keys themselves are in no "
            + "file.",
        subcommands: [Add.self, List.self, Remove.self])

    /// `--file`.
    struct FileOption: ParsableArguments {
        @Option(help: "The file of keys.")
        var file: String

        /// The keys of the file; none where there is no file yet.
        func read() throws -> [APIKeys.Entry] {
            guard FileManager.default.fileExists(atPath: file) else { return [] }
            return try KeyFile.read(file).entries
        }

        /// Replaces the file, which only its owner may read.
        func write(_ entries: [APIKeys.Entry]) throws {
            let text = entries.map { "\($0.digest) \($0.name)\n" }.joined()
            do {
                try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600], ofItemAtPath: file)
            } catch {
                throw CommandError("\(file): cannot be written: \(CommandError.reason(error))")
            }
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key and print it; it cannot be shown again.")

        @OptionGroup var keys: FileOption
        @Argument(help: "Whom the key is for.")
        var name: String

        func validate() throws {
            guard !name.isEmpty, name.utf8.count <= 100, !name.contains(where: \.isNewline) else {
                throw ValidationError("NAME takes one line of 1 to 100 bytes")
            }
        }

        func run() throws {
            let entries = try keys.read()
            guard !entries.contains(where: { $0.name == name }) else {
                throw CommandError("\(keys.file): there is a key for \"\(name)\" already")
            }
            var generator = SystemRandomNumberGenerator()
            let digits = (0..<4).map { _ in String(generator.next() as UInt64, radix: 36) }
            let key = "martlet-" + digits.joined()
            try keys.write(entries + [APIKeys.Entry(name: name, key: key)])
            Output.line(key)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the keys' names.")

        @OptionGroup var keys: FileOption

        func run() throws {
            for entry in try keys.read() { Output.line(entry.name) }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget a key.")

        @OptionGroup var keys: FileOption
        @Argument(help: "Whom the key was for.")
        var name: String

        func run() throws {
            let entries = try keys.read()
            guard entries.contains(where: { $0.name == name }) else {
                throw CommandError("\(keys.file): there is no key for \"\(name)\"")
            }
            try keys.write(entries.filter { $0.name != name })
        }
    }
}
