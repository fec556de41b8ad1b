import SystemModel

/// Lines of Prometheus's exposition format.
struct MetricsPage {
    typealias Labels = [(name: String, value: String)]

    /// How a family's values behave.
    enum Kind: String {
        case counter, gauge
    }

    private(set) var text = ""

    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        family(name, kind, help, [([], Double(value))])
    }

    /// Values of one name; nothing where there are none.
    mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ values: [(labels: Labels, value: Double)]
    ) {
        guard !values.isEmpty else { return }
        head(name, kind.rawValue, help)
        for (labels, value) in values { line(name, labels, Self.number(value)) }
    }

    /// Histograms of one name; nothing where there are none.
    mutating func histogram(
        _ name: String, _ help: String,
        _ histograms: [(labels: Labels, histogram: DurationHistogram)]
    ) {
        guard !histograms.isEmpty else { return }
        head(name, "histogram", help)
        for (labels, histogram) in histograms {
            let bounds = DurationHistogram.bounds.map { Self.number($0) } + ["+Inf"]
            var sum = 0
            for (bound, count) in zip(bounds, histogram.counts) {
                sum += count
                line("\(name)_bucket", labels + [("le", bound)], "\(sum)")
            }
            line("\(name)_sum", labels, Self.number(histogram.sum))
            line("\(name)_count", labels, "\(sum)")
        }
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        let braces = pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
        text += "\(name)\(braces) \(value)\n"
    }

    /// Whole numbers without a fraction.
    private static func number(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? String(value)
    }

    private static func escaped(_ label: String) -> String {
        label.reduce(into: "") { text, character in
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }
}
