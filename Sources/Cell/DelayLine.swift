/// Bytes of one flow between leaving the air and arriving: what is late stays in order.
struct DelayLine {
    private struct Entry {
        var bytes: Int
        let time: Duration
    }

    private var entries: [Entry] = []
    private var first = 0
    private var last = Duration.zero

    /// When the next bytes arrive; nil: none are under way.
    var next: Duration? { first < entries.count ? entries[first].time : nil }

    /// Bytes are to arrive at `time`, or when what was before them arrives, if that is later.
    mutating func add(bytes: Int, arriving time: Duration) {
        last = max(last, time)
        entries.append(Entry(bytes: bytes, time: last))
    }

    /// The bytes that have arrived until `now`, since the last call.
    ///
    /// - Parameter late: told of each arrival how long ago it was.
    mutating func release(until now: Duration, late: (Duration) -> Void = { _ in }) -> Int {
        var bytes = 0
        while first < entries.count, entries[first].time <= now {
            late(now - entries[first].time)
            bytes += entries[first].bytes
            first += 1
        }
        if first == entries.count {
            entries.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 1_024 {
            entries.removeFirst(first)
            first = 0
        }
        return bytes
    }
}
