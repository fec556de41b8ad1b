/// Which plan says who holds which experts, and what it foresees.
package struct CellPlan: Sendable, Equatable {
    /// Where a plan comes from.
    package enum Source: String, Sendable {
        /// Dealt in proportion to devices' speeds.
        case proportional
        /// Made by `martlet plan deploy`.
        case file
        /// Made by the base station from what it measured.
        case live
    }

    /// What a plan says that a decoded token will take; nil where it says nothing.
    package struct Foreseen: Sendable, Equatable {
        package var secondsPerToken: Double?
        package var roundTripsPerToken: Double?
        package var framesPerToken: Double?

        package init(
            secondsPerToken: Double? = nil, roundTripsPerToken: Double? = nil,
            framesPerToken: Double? = nil
        ) {
            self.secondsPerToken = secondsPerToken
            self.roundTripsPerToken = roundTripsPerToken
            self.framesPerToken = framesPerToken
        }
    }

    /// A plan took another's place.
    package struct Change: Sendable, Equatable {
        /// Seconds since 1970.
        package let unixTime: Int
        /// One line.
        package let text: String

        package init(unixTime: Int, text: String) {
            (self.unixTime, self.text) = (unixTime, text)
        }
    }

    package var source: Source
    /// The plan's file, if it comes from one.
    package var file: String?
    /// When it came into force, in seconds since 1970; nil before anything was dealt.
    package var sinceUnixTime: Int?
    /// Whether somebody still lacks what the plan gives them.
    package var isUnderWay = false
    package var foreseen: Foreseen?
    /// The last ones, latest last.
    package var changes: [Change] = []

    package init(source: Source) { self.source = source }
}
