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
    package let devices: [Device]
}
