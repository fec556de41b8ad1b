import ArgumentParser
import Foundation
import SystemModel

struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Damage model files in memory and see that each is read or refused.",
        discussion: """
            Headers, settings, tokenizers and templates are damaged; what still opens is used: two \
            tokens through the model, a text through the tokenizer. The files on disk stay as they \
            are. A folder stands for the files in it.

              martlet fuzz --mutations 10000 M.gguf
              martlet fuzz --format tokenizer --seed 7 FOLDER tokenizer.json

            Before each thousand, standard error names them. Should one crash this program or \
            never end, run the thousand again with --only, which names each one:

              martlet fuzz --format gguf --seed 7 --only 4000-4999 M.gguf
            """)

    @Option(help: "Mutations of each file.")
    var mutations = 10_000

    @Option(help: "The same seed damages alike; mutation K of seed S is mutation 0 of seed S + K.")
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "gguf, safetensors, config, tokenizer, template or all.",
            discussion: "With all a file's name says which; of a folder only the files of that "
                + "format are taken."))
    var format: FuzzChoice = .all

    @Option(help: "Only mutation K, or K-L; each is named before it is read.")
    var only: MutationRange?

    @Flag(help: "Print one JSON object: files, mutations, refused, opened, slowestSeconds.")
    var json = false

    @Argument(help: "Model files, templates, or folders with them.")
    var files: [String]

    /// Mutations that are announced together.
    private static let batch = 1000

    func validate() throws {
        guard mutations >= 1 else { throw ValidationError("--mutations takes 1 or more") }
    }

    func run() throws {
        let targets = try files.flatMap(targets)
        guard !targets.isEmpty else { throw CommandError("none of the files is of that format") }
        let reports = try targets.map(report)
        if json {
            try Output.json(Result(reports))
        } else {
            Output.line(Readable.table([FuzzReport.head] + reports.map(\.row)))
        }
        if let report = reports.first(where: { $0.untidyMessages > 0 }) {
            throw CommandError(
                "\(report.file): \(report.untidyMessages) refusals were not one line; the first is "
                    + "mutation \(report.firstUntidyMutation ?? 0) of seed \(seed)")
        }
    }

    private struct Result: Encodable {
        let files: [FuzzReport]
        let mutations: Int
        let refused: Int
        let opened: Int
        let slowestSeconds: Double

        init(_ reports: [FuzzReport]) {
            files = reports
            mutations = reports.reduce(0) { $0 + $1.mutations }
            refused = reports.reduce(0) { $0 + $1.refused }
            opened = reports.reduce(0) { $0 + $1.opened }
            slowestSeconds = reports.map(\.slowestSeconds).max() ?? 0
        }
    }

    private func targets(of path: String) throws -> [FuzzTarget] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            guard let format = format.format ?? FuzzFormat(file: path) else {
                throw CommandError("\(path): its name says no format; --format does")
            }
            return [try FuzzTarget(file: path, format: format)]
        }
        return try names.sorted().compactMap { name in
            guard let found = FuzzFormat(file: name), format.format ?? found == found else {
                return nil
            }
            return try FuzzTarget(file: path + "/" + name, format: found)
        }
    }

    private func report(_ target: FuzzTarget) throws -> FuzzReport {
        var report = FuzzReport(target)
        let numbers = only?.numbers ?? 0...mutations - 1
        let step = only == nil ? Self.batch : 1
        for first in stride(from: numbers.lowerBound, through: numbers.upperBound, by: step) {
            let last = min(first + step - 1, numbers.upperBound)
            Output.note(
                "\(target.file): \(target.format.rawValue), seed \(seed), mutations "
                    + "\(first)-\(last)")
            for number in first...last {
                let damaged = target.damaged(seed: seed, number: number)
                let start = SystemClock().now
                let refusal = refusal(of: damaged, target)
                let spent = (SystemClock().now - start).seconds
                report.add(number, refusal: refusal, seconds: spent)
                if only != nil { Output.note("  " + (refusal ?? "opened")) }
            }
        }
        return report
    }

    private func refusal(of bytes: [UInt8], _ target: FuzzTarget) -> String? {
        do {
            try target.read(bytes)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

/// `--format`: one, or by name.
enum FuzzChoice: ExpressibleByArgument {
    case all
    case one(FuzzFormat)

    init?(argument: String) {
        if argument == "all" {
            self = .all
        } else if let format = FuzzFormat(argument: argument) {
            self = .one(format)
        } else {
            return nil
        }
    }

    var format: FuzzFormat? {
        if case .one(let format) = self { format } else { nil }
    }

    var defaultValueDescription: String { format?.rawValue ?? "all" }
}
