/// Bytes of one flow between leaving the air and arriving: what is late stays in order.
struct DelayLine {
    private struct Entry {
        var bytes: Int
        let time: Duration
    }

    private var entries: [Entry] = []
    private var first = 0
    private var last = Duration.zero

    /// When the last bytes arrive of those that do within `length` of the next; nil: none are under
    /// way.
    func burstEnd(within length: Duration) -> Duration? {
        guard first < entries.count else { return nil }
        let limit = entries[first].time + length
        return entries[first...].prefix { $0.time <= limit }.last?.time
    }

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
