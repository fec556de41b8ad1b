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
        /// Why it is lost.
        package var reason: String?
        package var memoryBytes = 0
        package var cores = 0
        package var instructionSet = ""
        package var memoryGigabytesPerSecond = 0.0
        /// Experts that it was given, and how many of them it has.
        package var experts = 0
        package var readyExperts = 0
        /// Bytes shipped to it, and bytes it had in its cache.
        package var shippedBytes = 0
        package var cachedBytes = 0

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
    /// `[layer][expert]`: the name of the device that the expert is planned for and that is there
    /// or was lost; nil for the base station. Empty for a dense layer.
    package var homes: [[String?]] = []
    /// Latest last; only so many are kept.
    package var events: [Event] = []

    package init() {}
}
