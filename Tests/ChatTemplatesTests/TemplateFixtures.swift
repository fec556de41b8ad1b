import ChatTemplates
import Foundation
import Testing

/// The files under Tests/Fixtures/templates.
enum TemplateFixtures {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/templates")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".jinja") }.map { String($0.dropLast(6)) }.sorted()
    }()

    static func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
    }

    static func source(_ name: String) throws -> String {
        String(decoding: try bytes(name + ".jinja"), as: UTF8.self)
    }

    static func object(_ file: String) throws -> TemplateObject {
        guard case .object(let object) = try TemplateValue(json: try bytes(file)) else {
            throw FixtureError(message: "\(file) is not an object.")
        }
        return object
    }

    /// What a rendering comes to: the text, or the kind and message of the error.
    static func outcome(
        _ source: String, _ context: TemplateObject, name: String = "test"
    ) -> Outcome {
        do throws(ChatTemplateError) {
            let template = try ChatTemplate(source, name: name)
            return .text(try template.render(context, now: now))
        } catch {
            return .error(error.code.rawValue + ": " + error.message)
        }
    }

    /// The time of all fixtures: 2026-01-15T09:30:00.
    static let now = CivilTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30)
}

struct FixtureError: Error {
    let message: String
}

enum Outcome: Equatable {
    case text(String)
    case error(String)

    /// Swift's `==` would take canonically equivalent texts as equal.
    static func == (left: Outcome, right: Outcome) -> Bool {
        switch (left, right) {
        case (.text(let left), .text(let right)), (.error(let left), .error(let right)):
            Array(left.utf8) == Array(right.utf8)
        default: false
        }
    }

    var isError: Bool {
        if case .error = self { true } else { false }
    }
}

extension TemplateObject {
    func text(_ key: String) -> String? {
        if case .string(let text)? = self[key] { text } else { nil }
    }

    func array(_ key: String) -> [TemplateValue] {
        if case .array(let items)? = self[key] { items } else { [] }
    }
}
