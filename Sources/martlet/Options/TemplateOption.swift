import ArgumentParser
import ChatTemplates
import Foundation
import ModelFiles
import Tokenizers

/// `--template`, for commands that write conversations.
struct TemplateOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A template instead of the model's own.",
            discussion: "One of "
                + BuiltInTemplate.allCases.map(\.rawValue).joined(separator: ", ")
                + ", or a file.",
            valueName: "name|file"))
    var template: String?

    /// The template that was asked for, else the model's own, else the built-in one whose tokens
    /// the model has.
    func choose(_ source: TokenizerSource, of model: String) throws -> ChosenTemplate {
        if let template { return try ChosenTemplate(named: template) }
        if let own = source.chatTemplate {
            let template = try ChatTemplate(own, name: "\(model): chat template")
            return ChosenTemplate(template: template, builtIn: nil)
        }
        let tokenizer = try source.makeTokenizer()
        let builtIn = BuiltInTemplate.fitting { tokenizer.id(ofToken: $0) != nil }
        Output.note(
            "\(model): has no chat template; taking the built-in one \"\(builtIn.rawValue)\", "
                + "--template takes another")
        return ChosenTemplate(template: builtIn.template, builtIn: builtIn)
    }
}

/// A template and where it comes from.
struct ChosenTemplate {
    let template: ChatTemplate
    /// Nil for one from a file, which writes the begin-of-text token itself where it wants it.
    let builtIn: BuiltInTemplate?

    init(template: ChatTemplate, builtIn: BuiltInTemplate?) {
        (self.template, self.builtIn) = (template, builtIn)
    }

    /// The built-in template of that name, or the one in that file.
    init(named name: String) throws {
        builtIn = BuiltInTemplate(rawValue: name)
        template = try builtIn?.template ?? Self.read(name)
    }

    /// Reads a template file.
    static func read(_ path: String) throws -> ChatTemplate {
        let source: Data
        do {
            source = try Data(contentsOf: URL(filePath: path))
        } catch {
            let names = BuiltInTemplate.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandError(
                "\(path): is neither a template file that can be read nor one of \(names)")
        }
        return try ChatTemplate(String(decoding: source, as: UTF8.self), name: path)
    }
}

extension CivilTime {
    /// The clock's time where this machine is.
    static var local: CivilTime {
        let now = Date()
        return CivilTime(
            secondsSince1970: Int(now.timeIntervalSince1970),
            offset: TimeZone.current.secondsFromGMT(for: now))
    }
}

extension ChatTemplateError {
    /// The description on one line: a template may refuse in several.
    var line: String {
        description.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
