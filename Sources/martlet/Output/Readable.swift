import Foundation

/// Figures for people.
enum Readable {
    /// "1.5 MiB"
    static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
    }

    /// "12.3 ms"
    static func milliseconds(_ seconds: Double) -> String {
        String(format: "%.1f ms", seconds * 1e3)
    }

    /// Which side the columns after the first keep to.
    enum Side { case left, right }

    /// Lines whose columns line up, the first to the left.
    static func table(_ rows: [[String]], aligned side: Side = .right) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, text in
                let gap = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 || side == .left ? text + gap : gap + text
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
