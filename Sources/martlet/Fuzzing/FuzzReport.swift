import Foundation

/// What became of the mutations of one file.
struct FuzzReport: Encodable {
    let file: String
    let format: FuzzFormat
    /// Mutations that were read, whatever came of it.
    private(set) var mutations = 0
    private(set) var refused = 0
    private(set) var opened = 0
    private(set) var seconds = 0.0
    /// The longest that one mutation took.
    private(set) var slowestSeconds = 0.0
    /// Which one that was; `--only` runs it again.
    private(set) var slowestMutation: Int?
    /// Refusals that are not one line, and which mutation was the first.
    private(set) var untidyMessages = 0
    private(set) var firstUntidyMutation: Int?

    /// Most bytes of a refusal that is still one line to read.
    static let messageBytes = 2000

    init(_ target: FuzzTarget) {
        file = target.file
        format = target.format
    }

    /// Counts one mutation.
    ///
    /// - Parameter refusal: the error's text; nil if the file opened.
    mutating func add(_ number: Int, refusal: String?, seconds: Double) {
        mutations += 1
        self.seconds += seconds
        if seconds > slowestSeconds { (slowestSeconds, slowestMutation) = (seconds, number) }
        guard let refusal else {
            opened += 1
            return
        }
        refused += 1
        if refusal.contains(where: \.isNewline) || refusal.utf8.count > Self.messageBytes {
            untidyMessages += 1
            firstUntidyMutation = firstUntidyMutation ?? number
        }
    }

    static let head = [
        "file", "format", "mutations", "refused", "opened", "a second", "slowest", "which",
    ]

    var row: [String] {
        [
            file, format.rawValue, "\(mutations)", "\(refused)", "\(opened)",
            seconds > 0 ? "\(Int(Double(mutations) / seconds))" : "-",
            Readable.milliseconds(slowestSeconds), slowestMutation.map { "\($0)" } ?? "-",
        ]
    }
}
