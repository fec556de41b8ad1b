import ArgumentParser
import Logging

/// `--log-level`.
struct LogOption: ParsableArguments {
    @Option(
        help: """
            The least that is logged of requests, on standard error. A line has time, level, \
            message and key=value; never prompts, answers or keys.
            """)
    var logLevel = LogLevel.info

    /// Writes to standard error.
    var logger: Logger {
        let level = Logger.Level(rawValue: logLevel.rawValue) ?? .info
        return Logger(label: "martlet") { _ in LineLogHandler(level) }
    }
}

/// The levels of `--log-level`, the most talkative first.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error, critical
}
