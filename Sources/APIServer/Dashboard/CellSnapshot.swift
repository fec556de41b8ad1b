package import SystemModel

/// Who is there, what they hold and how they do, at one moment: what the dashboard, `martlet
/// status` and `/metrics` tell of the cell.
package struct CellSnapshot: Sendable {
    /// A device that is there, or was until lately.
    package struct Device: Sendable {
        /// What a device is doing.
        package enum State: String, Sendable, CaseIterable {
            /// It has its experts.
            case ready
            /// It has been given experts that it has not all loaded.
            case loading
            /// It has no experts; the next plan may give it some.
            case spare
            /// It missed a deadline, or has not answered a ping for a while.
            case late
            /// It is gone.
            case lost
        }

        /// Unique among those that are there.
        package var name: String
        package var state = State.ready
        /// A far node, which is asked for what no device holds.
        package var isFar = false
        /// Why it is lost.
        package var reason: String?
        package var memoryBytes = 0
        package var cores = 0
        package var instructionSet = ""
        package var memoryGigabytesPerSecond = 0.0
        /// Experts that it was given, and how many of them it has.
        package var experts = 0
        package var readyExperts = 0
        /// Bytes of the experts that it was given, and of those that it has.
        package var assignedBytes = 0
        package var readyBytes = 0
        /// Bytes of them shipped to it so far, and bytes it had in its cache.
        package var shippedBytes = 0
        package var cachedBytes = 0
        /// Bytes of experts that it offered to have on disk.
        package var diskBytes = 0
        /// Experts that it has on disk only, ahead of need, and their bytes.
        package var keptExperts = 0
        package var keptBytes = 0

        package init(name: String) { self.name = name }
    }

    /// Round trips of one device since the start.
    package struct Link: Sendable {
        package var batches = DurationHistogram()
        package var pings = DurationHistogram()
        /// Of late, a batch's time beyond computing, in seconds; nil before the first.
        package var hopSeconds: Double?
        /// The last ping's time in seconds.
        package var pingSeconds: Double?
        /// What a message takes whatever its size (`o_k`), in seconds; nil before it was measured.
        package var messageSeconds: Double?
        /// Activations both ways over the time that they add, in bits per second; nil as long as
        /// only messages of one size were seen.
        package var bitsPerSecond: Double?

        package init() {}
    }

    /// Something that happened.
    package struct Event: Sendable {
        /// What kind of thing.
        package enum Kind: String, Sendable {
            case joined, ready, late, lost, refused, planned
        }

        /// Counted from 1.
        package let number: Int
        /// Seconds since 1970.
        package let unixTime: Int
        package let kind: Kind
        /// One line.
        package let text: String

        package init(number: Int, unixTime: Int, kind: Kind, text: String) {
            (self.number, self.unixTime, self.kind, self.text) = (number, unixTime, kind, text)
        }
    }

    /// In order of their slots, then names; the lost last.
    package var devices: [Device] = []
    /// By device name; also of devices that are gone.
    package var links: [String: Link] = [:]
    package var places = ExpertPlaces()
    /// Nil where there is nothing to plan: no devices may join.
    package var plan: CellPlan?
    /// Latest last; only so many are kept.
    package var events: [Event] = []

    package init() {}
}
