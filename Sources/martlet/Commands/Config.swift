import ArgumentParser

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a configuration file of \"serve\".", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether \"serve --config FILE\" would take the file.")

        @Argument(help: "The YAML file.")
        var file: String

        func run() throws {
            let arguments = try ServeConfiguration.read(file)
            do {
                _ = try Serve.parse(arguments)
            } catch {
                let message = Serve.message(for: error).split(whereSeparator: \.isNewline).first
                throw CommandError("\(file): \(message ?? "is refused")")
            }
            Output.line("martlet serve " + arguments.joined(separator: " "))
        }
    }
}
