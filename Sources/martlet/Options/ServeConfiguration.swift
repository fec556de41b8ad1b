import Foundation
import Yams

/// The file that `serve --config` names: options of `serve` by their names, without dashes.
enum ServeConfiguration {
    /// Most bytes of a file.
    static let byteLimit = 1 << 20

    /// The command line with the file's options before the others, which therefore win.
    ///
    /// - Throws: `CommandError` naming the file and what is wrong with it.
    static func expanded(_ arguments: [String]) throws -> [String] {
        guard arguments.first == "serve", let path = path(in: arguments) else { return arguments }
        return ["serve"] + (try read(path)) + arguments.dropFirst()
    }

    /// A file's options as they stand on a command line.
    static func read(_ path: String) throws -> [String] {
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
        return try mapping.flatMap { key, value in try option(key, value, path) }
    }

    private static func option(_ key: Node, _ value: Node, _ path: String) throws -> [String] {
        guard let name = key.string, let text = value.scalar?.string else {
            throw CommandError("\(path): an option has a name and one value")
        }
        guard name != "config" else { throw CommandError("\(path): config: cannot be in a file") }
        switch value.bool {
        case true: return ["--" + name]
        case false: return []
        case nil: return ["--\(name)=\(text)"]
        }
    }

    private static func path(in arguments: [String]) -> String? {
        if let index = arguments.lastIndex(of: "--config"), index + 1 < arguments.count {
            return arguments[index + 1]
        }
        return arguments.last { $0.hasPrefix("--config=") }.map { String($0.dropFirst(9)) }
    }
}
