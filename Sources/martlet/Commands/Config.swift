import ArgumentParser
import Foundation

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at a configuration file of \"serve\".", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Say whether \"serve --config FILE\" would take the file, and what it would use.",
            discussion: "Variables of the environment count as they would for \"serve\".")

        @Argument(help: "The YAML file.")
        var file: String

        func run() throws {
            let line = try ServeCommandLine(
                ["--config", file], environment: ProcessInfo.processInfo.environment)
            let serve: Serve
            do {
                guard let parsed = try Serve.parseAsRoot(line.arguments) as? Serve else {
                    throw CommandError("\(file): asks for help, not for a server")
                }
                serve = parsed
            } catch let error as CommandError {
                throw error
            } catch {
                let message = Serve.message(for: error).split(whereSeparator: \.isNewline).first
                throw CommandError("\(file): \(message ?? "is refused")")
            }
            line.noteUnknownVariables()
            Output.line(line.settings.report(serve, commandLine: []))
        }
    }
}

extension ServeCommandLine {
    /// Tells of variables that set nothing.
    func noteUnknownVariables() {
        for name in unknownVariables {
            Output.note("\(name) is not an option of \"serve\" and sets nothing")
        }
    }
}
