import ArgumentParser
import SystemModel

/// After how long a base station's memory is lent to others: seconds, or "never".
struct LendingTime: ExpressibleByArgument {
    /// Nil: never.
    let duration: Duration?

    /// At least a second, so that a registration that lapsed can be made anew; at most a year.
    private static let seconds = 1.0...365 * 86_400

    init(duration: Duration?) {
        self.duration = duration
    }

    init?(argument: String) {
        if argument == "never" {
            duration = nil
            return
        }
        guard let seconds = Double(argument), Self.seconds.contains(seconds) else { return nil }
        duration = .seconds(seconds)
    }

    var defaultValueDescription: String {
        duration.map { "\(Int($0.seconds))" } ?? "never"
    }
}
