import Foundation
import Yams

/// The file that `serve --config` names: options of `serve` by their names, without dashes.
enum ServeFile {
    /// Most bytes of a file.
    static let byteLimit = 1 << 20

    /// A file's options.
    ///
    /// - Throws: `CommandError` naming the file and what is wrong with it.
    static func read(_ path: String) throws -> [(name: String, text: String)] {
        guard let data = FileManager.default.contents(atPath: path), data.count <= byteLimit else {
            throw CommandError("\(path): cannot be read as a file of at most \(byteLimit) bytes")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
        } catch {
            let line = "\(error)".split(whereSeparator: \.isNewline).first ?? ""
            throw CommandError("\(path): is not YAML: \(line)")
        }
        guard let node, let mapping = node.mapping else {
            throw CommandError("\(path): has to be options by their names, as \"max-batch: 16\"")
        }
        return try mapping.map { key, value in
            guard let name = key.string, let text = value.scalar?.string else {
                throw CommandError("\(path): an option has a name and one value")
            }
            return (name, text)
        }
    }
}

/// The command line of `serve` with what a file and the environment add to it.
struct ServeCommandLine {
    let settings: ServeSettings
    /// Variables of the environment that look like options but are none.
    let unknownVariables: [String]
    /// As given, without "serve".
    let given: [String]

    /// - Throws: `CommandError` naming the file or variable and what is wrong with it.
    init(_ given: [String], environment: [String: String]) throws {
        var settings = ServeSettings()
        if let path = Self.config(in: given) ?? environment["MARTLET_CONFIG"], !path.isEmpty {
            try settings.add(file: path)
        }
        unknownVariables = try settings.add(environment: environment)
        self.settings = settings
        self.given = given
    }

    /// Everything, what is given last, which therefore wins.
    var arguments: [String] { settings.arguments + given }

    private static func config(in arguments: [String]) -> String? {
        if let index = arguments.lastIndex(of: "--config"), index + 1 < arguments.count {
            return arguments[index + 1]
        }
        return arguments.last { $0.hasPrefix("--config=") }.map { String($0.dropFirst(9)) }
    }
}
