import Foundation
import TestSupport
import Testing

/// Rules that a machine checks are never argued in review.
struct TidyTests {
    struct SourceFile: Sendable {
        let path: String
        let lines: [String]

        var target: String { String(path.split(separator: "/")[1]) }
    }

    static let files: [SourceFile] = {
        let folders = ["Sources", "Tests"].map { Fixtures.root.appending(path: $0) }
        return folders.flatMap { folder -> [SourceFile] in
            let paths = FileManager.default.enumerator(atPath: folder.path)
            return (paths?.compactMap { $0 as? String } ?? [])
                .filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }
                .sorted()
                .compactMap { path in
                    let url = folder.appending(path: path)
                    guard let text = try? String(contentsOf: url, encoding: .utf8) else {
                        return nil
                    }
                    return SourceFile(
                        path: folder.lastPathComponent + "/" + path,
                        lines: text.components(separatedBy: "\n"))
                }
        }
    }()

    static var sources: [SourceFile] { files.filter { $0.path.hasPrefix("Sources/") } }

    @Test func thereIsSomethingToCheck() {
        #expect(Self.sources.count > 50)
    }

    @Test func filesAndLinesAreShort() {
        for file in Self.files {
            #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines")
            for (number, line) in file.lines.enumerated() where line.count > 100 {
                Issue.record("\(file.path):\(number + 1) is \(line.count) characters wide")
            }
        }
    }

    /// A function ends at the first line that closes its own indentation.
    @Test func functionsAreShort() {
        for file in Self.sources where file.path.hasSuffix(".swift") {
            for (start, line) in file.lines.enumerated() {
                let indent = line.prefix { $0 == " " }
                guard line.contains("func ") || line.dropFirst(indent.count).hasPrefix("init("),
                    !line.dropFirst(indent.count).hasPrefix("//")
                else { continue }
                let end = file.lines[(start + 1)...].firstIndex { $0 == indent + "}" } ?? start
                #expect(end - start < 70, "\(file.path):\(start + 1) is \(end - start) lines")
            }
        }
    }

    /// Layers as in Package.swift; an import points only to a lower number.
    static let layers = [
        "WebFiles": 0, "OrderedJSON": 0, "SystemModel": 0, "CKernels": 0, "Tokenizers": 1,
        "ChatTemplates": 1, "Tensors": 1, "Planning": 1, "Registries": 1, "Scenarios": 1,
        "ModelFiles": 2,
        "Wire": 2, "StructuredOutput": 2, "MoEModel": 3,
        "Worker": 4,
        "Coordinator": 4, "Simulator": 4, "Calibration": 4, "Serving": 4,
        "NIOTransport": 5, "Cell": 5, "APIServer": 5, "martlet": 6,
    ]

    @Test func importsPointDownwards() {
        for file in Self.sources where file.path.hasSuffix(".swift") {
            guard let own = Self.layers[file.target] else {
                Issue.record("\(file.path): target \(file.target) has no layer in TidyTests")
                continue
            }
            for line in file.lines where line.contains("import ") && !line.hasPrefix("/") {
                guard let name = line.split(separator: " ").last.map(String.init),
                    let other = Self.layers[name]
                else { continue }
                #expect(other < own, "\(file.path) imports \(name)")
            }
        }
    }

    /// Calls that a library must not make, and where they are allowed.
    static let banned: [(call: String, allowed: [String])] = [
        ("fatalError(", []), ("try!", []), (" as! ", []),
        ("print(", []), ("ContinuousClock()", ["martlet"]), ("Date()", ["martlet"]),
        ("Task.sleep", ["martlet"]), (".random(in:", []), ("#if os(", []),
    ]

    @Test func bannedCallsDoNotAppear() {
        for file in Self.sources where file.path.hasSuffix(".swift") {
            for (number, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                // With a generator as an argument a seed replays it.
                guard !code.hasPrefix("//"), !code.contains("using: &") else { continue }
                for rule in Self.banned where !rule.allowed.contains(file.target) {
                    #expect(
                        !code.contains(rule.call), "\(file.path):\(number + 1): \(rule.call)")
                }
            }
        }
    }

    /// Every declaration that another target may use says what it is.
    @Test func packageDeclarationsAreDocumented() {
        for file in Self.sources where file.path.hasSuffix(".swift") {
            for (number, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                guard code.hasPrefix("package "), !code.hasPrefix("package import"),
                    !code.hasPrefix("package init"), !Self.isRequirement(code)
                else { continue }
                #expect(
                    Self.hasComment(file.lines, above: number), "\(file.path):\(number + 1)")
            }
        }
    }

    /// Stored properties explain themselves together with their type; what conforms to a protocol
    /// is explained there.
    private static func isRequirement(_ code: Substring) -> Bool {
        [" let ", " var ", "static func ==", "static func <", "func encode(to", "func hash(into"]
            .contains { code.contains($0) } || code.contains("typealias")
            || [
                "mixture(", "begin(layer", "parts(rows", "takeCosts(", "route(", "next()", "send(_",
                "close()", "grant(time", "keepAlive(_ lease", "revoke(_ lease", "put(",
                "delete(_ key",
                "entries(under", "updates(under",
            ].contains { code.contains("func " + $0) }
    }

    private static func hasComment(_ lines: [String], above number: Int) -> Bool {
        var above = number - 1
        while above >= 0, lines[above].contains("@") { above -= 1 }
        return above >= 0 && lines[above].drop { $0 == " " }.hasPrefix("///")
    }

    /// The project names no machine's folders.
    @Test func noPathOfAMachineAppears() {
        let folders = ["work", "root", "home"].map { "/\($0)/" }
        for file in Self.files {
            for (number, line) in file.lines.enumerated() {
                for folder in folders where line.contains(folder) {
                    Issue.record("\(file.path):\(number + 1) names \(folder)")
                }
            }
        }
    }
}
