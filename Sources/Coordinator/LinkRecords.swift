import Synchronization
package import SystemModel
import Wire

/// How well each device answers, since the base station started. By name, so that a device which
/// comes back goes on with its record.
package final class LinkRecords: Sendable {
    /// One device's answers.
    package struct Record: Sendable {
        /// From sending a batch to having its answer, computing included.
        package fileprivate(set) var batches = DurationHistogram()
        /// From sending a ping to having its answer.
        package fileprivate(set) var pings = DurationHistogram()
        /// The last few batches' time beyond computing, smoothed, in seconds; nil before the first.
        package fileprivate(set) var hopSeconds: Double?
        /// The last ping's time, in seconds.
        package fileprivate(set) var pingSeconds: Double?
        /// When the ping was sent that is not answered yet, by the clock of `ping`.
        package fileprivate(set) var unansweredSince: Duration?
        fileprivate var sequence: UInt64 = 0
    }

    private let records = Mutex<[String: Record]>([:])

    init() {}

    /// By device name.
    package var all: [String: Record] { records.withLock { $0 } }

    /// A batch was answered, `seconds` after it was sent.
    func answered(_ name: String, seconds: Double, computing: Double) {
        records.withLock { records in
            var record = records[name] ?? Record()
            record.batches.add(seconds)
            let hop = max(0, seconds - computing)
            record.hopSeconds = record.hopSeconds.map { $0 + 0.1 * (hop - $0) } ?? hop
            records[name] = record
        }
    }

    /// The ping to send now; nil while one is on its way.
    func ping(_ name: String, at now: Duration) -> Heartbeat? {
        records.withLock { records in
            var record = records[name] ?? Record()
            guard record.unansweredSince == nil else { return nil }
            record.sequence += 1
            record.unansweredSince = now
            records[name] = record
            return Heartbeat(ping: record.sequence)
        }
    }

    /// A ping was answered.
    func ponged(_ name: String, _ sequence: UInt64, at now: Duration) {
        records.withLock { records in
            guard var record = records[name], record.sequence == sequence,
                let sent = record.unansweredSince
            else { return }
            record.pingSeconds = (now - sent).seconds
            record.pings.add((now - sent).seconds)
            record.unansweredSince = nil
            records[name] = record
        }
    }

    /// The device is gone, and with it the answer to its ping.
    func left(_ name: String) {
        records.withLock { $0[name]?.unansweredSince = nil }
    }
}

extension Coordinator {
    /// Asks every device for a sign of life; how long it takes is in `links`.
    package func ping(_ clock: any MonotonicClock) {
        pingClock.withLock { $0 = clock }
        for (name, link) in controlLinks {
            guard let ping = links.ping(name, at: clock.now) else { continue }
            link.send(ping.frame())
        }
    }

    /// A device answered a ping.
    func ponged(_ id: DeviceID, _ heartbeat: Heartbeat) {
        guard let clock = pingClock.withLock({ $0 }),
            let name = membership.members[id]?.description.name
        else { return }
        links.ponged(name, heartbeat.sequence, at: clock.now)
    }
}
