/// Ends a text before the first of some stop texts, and never lets the beginning of one through.
struct StopMatcher: Sendable {
    private let stops: [[UInt8]]
    /// What may be the beginning of a stop text.
    private var held: [UInt8] = []
    private(set) var isStopped = false

    init(_ stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// Takes whole characters; returns those that are certain to belong to the text.
    ///
    /// - Complexity: O((held + text) · stops · longest stop).
    mutating func append(_ text: String) -> String {
        guard !stops.isEmpty else { return text }
        guard !isStopped else { return "" }
        held += text.utf8
        if let start = held.indices.first(where: { start in
            stops.contains { held[start...].starts(with: $0) }
        }) {
            isStopped = true
            return release(start)
        }
        let open = held.indices.first { start in
            stops.contains { $0.starts(with: held[start...]) }
        }
        return release(open ?? held.count)
    }

    /// What was held back at the end of a text that was not stopped.
    mutating func finish() -> String {
        isStopped ? "" : release(held.count)
    }

    private mutating func release(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return String(decoding: held[..<count], as: UTF8.self)
    }
}
