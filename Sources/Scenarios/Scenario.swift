package import SystemModel

/// A cell: the model whose sizes travel, the radio, and the devices. Read from YAML
/// (`Scenario(yaml:file:)`); Scenarios/reference.yaml is the reference cell.
package struct Scenario: Sendable, Equatable {
    /// The sizes of the emulated model. Routing comes from the model that is really run.
    package struct Shape: Sendable, Equatable {
        package var workload: ExpertWorkload
        package var layers: Int
        package var experts: Int
        package var topK: Int
    }

    /// The base station's radio.
    package struct Radio: Sendable, Equatable {
        package var carrier: Hertz
        package var total: Hertz
        package var noise: WattsPerHertz
        package var powerDown: Watts
        package var powerUp: Watts
        package var pathLoss: PathLoss
        package var fading: Fading
        package var seed: UInt64
        /// Channel draws; window w uses draw w modulo `windows`.
        package var windows: Int
    }

    /// One device; device k holds expert k of every layer (modulo the devices there are).
    package struct Device: Sendable, Equatable {
        package var name: String
        package var distance: Metres
        package var speed: OperationsPerSecond
        /// How fast it moves, for Doppler; 0 unless given.
        package var motion: MetresPerSecond
    }

    /// How the emulated cell (`martlet cell`) treats connections beyond their rate.
    package struct Link: Sendable, Equatable {
        /// Each way, on top of the time in the air.
        package var delay: Seconds
        /// The delay grows by up to this, uniformly drawn for each burst.
        package var jitter: Seconds
        /// A device whose |h|² is under this is out; 0: never.
        package var outageFade: Double
        /// Whether connections of a device that is out are reset; otherwise their bytes wait.
        package var resets: Bool
        package var outages: [Outage]
    }

    /// A time for which a device is cut off, whatever its channel.
    package struct Outage: Sendable, Equatable {
        package var device: String
        package var start: Seconds
        package var length: Seconds
    }

    package var name: String
    package var shape: Shape
    package var radio: Radio
    package var devices: [Device]
    /// `o_k` of every device.
    package var message: Seconds
    package var prefillTokens: Int
    package var decodeBatches: [Int]
    package var link: Link
    /// The same of every device; 0 W unless given, so that only sending costs.
    package var energy: EnergyModel

    /// The mean power gain of a device's path, without fading.
    package func meanGain(_ device: Device) -> Double {
        let loss = radio.pathLoss.loss(distance: device.distance, carrier: radio.carrier)
        return Decibels(-loss.value).factor
    }

    /// All devices' channels in one block of fading.
    ///
    /// - Parameter window: of the run; draws repeat after `radio.windows`.
    /// - Returns: `[devices]`; equal for equal scenario seeds, in any order of asking.
    package func channels(window: Int) -> [DeviceChannel] {
        var generator = drawGenerator(UInt64(window % radio.windows))
        return devices.map { device in
            let link = RadioLink(
                gain: meanGain(device) * max(radio.fading.power(using: &generator), 1e-9),
                powerDown: radio.powerDown, powerUp: radio.powerUp)
            return DeviceChannel(link: link, speed: device.speed)
        }
    }

    /// One device's channel over time, for an emulated cell.
    package func series(device: Int) -> FadingSeries {
        var generator = drawGenerator(UInt64(radio.windows + device))
        return FadingSeries(
            radio.fading,
            doppler: FadingSeries.doppler(speed: devices[device].motion, carrier: radio.carrier),
            using: &generator)
    }

    /// Independent of all other draws: neighbouring seeds of SplitMix64 overlap, so one step of it
    /// mixes first.
    private func drawGenerator(_ draw: UInt64) -> SeededGenerator {
        var mixer = SeededGenerator(seed: radio.seed ^ (draw << 32))
        return SeededGenerator(seed: mixer.next())
    }
}
