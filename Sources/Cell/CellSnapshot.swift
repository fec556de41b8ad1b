import SystemModel

/// What a cell is like at a moment: the control port's answer, and what the command prints.
package struct CellSnapshot: Sendable, Encodable {
    /// What went through since the cell began.
    package struct Count: Sendable, Encodable {
        package var connections = 0
        package var bytesDown = 0
        package var bytesUp = 0

        mutating func add(_ bytes: Int, _ direction: AirQueue.Direction) {
            switch direction {
            case .down: bytesDown += bytes
            case .up: bytesUp += bytes
            }
        }
    }

    /// How late packets left the cell: its own error, whatever the peers do.
    package struct Punctuality: Sendable, Encodable {
        /// What counts as late.
        static let limit = Duration.milliseconds(0.5)

        package private(set) var packets = 0
        /// Packets that left more than 0.5 ms late.
        package private(set) var latePackets = 0
        package private(set) var meanLateSeconds = 0.0
        package private(set) var worstLateSeconds = 0.0

        mutating func add(_ late: Duration) {
            packets += 1
            if late > Self.limit { latePackets += 1 }
            meanLateSeconds += (late.seconds - meanLateSeconds) / Double(packets)
            worstLateSeconds = max(worstLateSeconds, late.seconds)
        }
    }

    /// One device.
    package struct Device: Sendable, Encodable {
        package let name: String
        package let distanceMetres: Double
        /// Power gain of the path with fading.
        package let gain: Double
        /// The share of the spectrum.
        package let hertz: Double
        /// Of payload through the cell, slowed down as it is; 0 while nothing passes.
        package let bitsPerSecondDown: Double
        package let bitsPerSecondUp: Double
        package let isOut: Bool
        package let connections: Int
        package let bytesDown: Int
        package let bytesUp: Int
        /// Bytes in the cell, both ways.
        package let waitingBytes: Int
        /// Time that the device's share has been in use.
        package let airSecondsDown: Double
        package let airSecondsUp: Double
    }

    /// Since the cell began.
    package let seconds: Double
    package let totalHertz: Double
    package let noiseWattsPerHertz: Double
    package let powerDownWatts: Double
    package let powerUpWatts: Double
    /// Times that a bit takes longer than over the radio of the scenario.
    package let slowdown: Double
    package let delaySeconds: Double
    /// "equal", or "set" by the base station.
    package let shares: String
    package let punctuality: Punctuality
    package let devices: [Device]
}
