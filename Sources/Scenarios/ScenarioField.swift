import Yams

/// Why a scenario file is refused: one line with file, field and limit.
package struct ScenarioError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// A value of a scenario file and where it stands.
struct ScenarioField {
    private let file: String
    private let path: String
    private let node: Node?

    init(yaml: [UInt8], file: String) throws(ScenarioError) {
        guard yaml.count <= ScenarioLimits.fileBytes else {
            throw ScenarioError(
                description: "\(file): has \(yaml.count) bytes, the limit is "
                    + "\(ScenarioLimits.fileBytes)")
        }
        self.file = file
        path = ""
        do {
            node = try Yams.compose(yaml: String(decoding: yaml, as: UTF8.self))
        } catch {
            let line = "\(error)".split(separator: "\n").first.map(String.init) ?? "unreadable"
            throw ScenarioError(description: "\(file): is not YAML: \(line)")
        }
    }

    private init(file: String, path: String, node: Node?) {
        self.file = file
        self.path = path
        self.node = node
    }

    var isMissing: Bool { node == nil }

    subscript(_ name: String) -> ScenarioField {
        ScenarioField(
            file: file, path: path.isEmpty ? name : "\(path).\(name)",
            node: node?.mapping?.first { $0.key.scalar?.string == name }?.value)
    }

    /// Refuses keys that nobody reads and keys that stand twice.
    func allow(_ names: [String]) throws(ScenarioError) {
        guard let mapping = node?.mapping else { throw failure("is no mapping of keys") }
        for pair in mapping {
            let key = pair.key.scalar?.string ?? "?"
            guard names.contains(key) else {
                throw self[key].failure("is unknown, known are \(names.joined(separator: ", "))")
            }
        }
    }

    func elements(_ count: ClosedRange<Int>) throws(ScenarioError) -> [ScenarioField] {
        guard let sequence = node?.sequence else { throw failure("is no list") }
        guard count ~= sequence.count else {
            throw failure(
                "has \(sequence.count) elements, the limit is \(count.lowerBound) to "
                    + "\(count.upperBound)")
        }
        return sequence.enumerated().map {
            ScenarioField(file: file, path: "\(path)[\($0)]", node: $1)
        }
    }

    func text() throws(ScenarioError) -> String {
        guard let text = node?.scalar?.string else { throw failure("is missing or no text") }
        return text
    }

    func integer(
        _ range: ClosedRange<Int>, default fallback: Int? = nil
    ) throws(ScenarioError) -> Int {
        if let fallback, isMissing { return fallback }
        let text = try text()
        guard let whole = Int(text), range ~= whole else {
            throw failure(
                "is \(text.prefix(40)), expected a whole number \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return whole
    }

    func number(
        _ range: ClosedRange<Double>, default fallback: Double? = nil
    ) throws(ScenarioError) -> Double {
        if let fallback, isMissing { return fallback }
        let text = try text()
        guard let number = Double(text), range ~= number else {
            throw failure(
                "is \(text.prefix(40)), expected a number \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return number
    }

    func failure(_ message: String) -> ScenarioError {
        ScenarioError(description: "\(file): \(path.isEmpty ? "the file" : path) \(message)")
    }
}
