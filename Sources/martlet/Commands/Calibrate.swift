import ArgumentParser
import Calibration
import Foundation
import MoEModel
import SystemModel
import Tokenizers

struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record what a model's experts do on a text.",
        discussion: """
            The profile is a SQLite file: per layer and expert frequency, mean gate weight, output \
            norm and mean output; per pair of experts co-activation, output similarity and \
            transition to the next layer; the routing of every token; and per layer how much the \
            model's loss feels a change. Planners read it.

              martlet calibrate --model M.gguf --file T.txt --output profile.db
            """)

    @OptionGroup var model: ModelOption

    @Option(help: "A UTF-8 text.")
    var file: String

    @Option(help: "The profile to write.")
    var output: String

    @Option(help: "Ids per window.")
    var context = 256

    @Option(help: "Most windows of the text to use.")
    var windows = 200

    @Option(help: "Windows of the text to leave out at its start, for measuring on.")
    var skip = 0

    @Option(help: "Also write the tables as files of this format beside the profile: csv.")
    var export: ExportFormat?

    enum ExportFormat: String, ExpressibleByArgument { case csv }

    func validate() throws {
        guard context >= 2, windows >= 1, skip >= 0 else {
            throw ValidationError(
                "--context takes 2 or more, --windows 1 or more, --skip 0 or more")
        }
    }

    func run() throws {
        let opened = try model.open()
        guard opened.model.configuration.experts != nil else {
            throw CommandError("\(model.model): has no experts to calibrate")
        }
        let texts = try opened.windows(of: file, length: context, skip: skip, limit: windows)
        let result = try CalibrationRun(opened.model).run(texts)
        try ProfileDatabase.create(
            path: output, profile: result.profile, visits: result.visits)
        if export == .csv { try writeTables() }
        Output.note("\(output): \(result.profile.tokens) tokens")
    }

    private func writeTables() throws {
        let database = try ProfileDatabase(path: output)
        for (table, columns) in ProfileDatabase.exports {
            let path = "\(output).\(table).csv"
            do {
                try Data(try database.csv(table: table, columns: columns).utf8)
                    .write(to: URL(filePath: path))
            } catch let error as ProfileError {
                throw error
            } catch {
                throw CommandError("\(path): cannot be written: \(CommandError.reason(error))")
            }
        }
    }
}

extension OpenedModel {
    /// A text's ids without BOS, cut into windows; a last partial window is dropped.
    func windows(of file: String, length: Int, skip: Int, limit: Int) throws -> [[Int]] {
        let context = model.configuration.contextLength
        guard length <= context else {
            throw CommandError(
                "\(file): windows of \(length) are more than the model's context of \(context)")
        }
        let text: Data
        do {
            text = try Data(contentsOf: URL(filePath: file))
        } catch {
            throw CommandError("\(file): cannot be read: \(CommandError.reason(error))")
        }
        let ids = try tokenizer().encode(bytes: [UInt8](text))
        let count = min(ids.count / length - skip, limit)
        guard count > 0 else {
            throw CommandError(
                "\(file): has \(ids.count) ids, a window needs \(length) after \(skip) left out")
        }
        return (skip..<skip + count).map { Array(ids[$0 * length..<($0 + 1) * length]) }
    }
}
