import Synchronization
package import SystemModel

/// `o_k` and `t_k` of every device and of the base station itself, as its own round trips show
/// them. Planners read it; `RemoteExperts` feeds it.
///
/// Devices are known by name, so one that comes back is not a stranger.
package final class MeasuredLatencies: Sendable {
    /// A link before its first answer: a good wireless network's.
    private static let priorMessageSeconds = 1e-3
    private static let priorBitsPerSecond = 100e6
    /// A machine that has not described itself, in bytes per second.
    private static let priorBytesPerSecond = 5e9

    /// Devices may come under ever new names; beyond this many all are forgotten.
    private static let namesLimit = 1024

    private struct State {
        var devices: [String: LatencyEstimator] = [:]
        var baseStation: LatencyEstimator
        /// Where all that it visited was in memory.
        var memory: LatencyEstimator
        /// For experts of its file that it does not hold in memory on purpose.
        var file: LatencyEstimator
    }

    private let shape: ModelShape
    private let state: Mutex<State>

    init(shape: ModelShape) {
        self.shape = shape
        let seconds = Self.expertSeconds(shape, bytesPerSecond: Self.priorBytesPerSecond)
        let estimator = LatencyEstimator(
            prior: LatencyEstimator.Estimate(
                messageSeconds: 0, airSecondsPerRow: 0, computeSecondsPerRow: seconds))
        state = Mutex(State(baseStation: estimator, memory: estimator, file: estimator))
    }

    /// What is believed at this moment of every device that was ever measured, by name.
    package var devices: [String: LatencyEstimator.Estimate] {
        state.withLock { $0.devices.mapValues(\.estimate) }
    }

    /// Computing at the base station; nothing travels.
    package var baseStation: LatencyEstimator.Estimate {
        state.withLock { $0.baseStation.estimate }
    }

    /// The base station with experts that are in its memory; before the first of them, as expected.
    var memory: LatencyEstimator.Estimate { state.withLock { $0.memory.estimate } }

    /// The base station with experts that are in its file only; before the first of them, with any.
    var file: LatencyEstimator.Estimate {
        state.withLock { ($0.file.count > 0 ? $0.file : $0.baseStation).estimate }
    }

    /// Whether the device has answered, and the base station computed from its file.
    func areMeasured(_ name: String) -> Bool {
        state.withLock { $0.devices[name] != nil && $0.file.count > 0 }
    }

    /// What is believed of a device: what was measured, else what follows from its description.
    func estimate(_ device: DeviceDescription) -> LatencyEstimator.Estimate {
        state.withLock { $0.devices[device.name]?.estimate } ?? prior(device)
    }

    /// A device answered.
    func add(_ sample: LatencyEstimator.Sample, from device: DeviceDescription) {
        state.withLock { state in
            if state.devices[device.name] == nil, state.devices.count >= Self.namesLimit {
                state.devices = [:]
            }
            state.devices[device.name, default: LatencyEstimator(prior: prior(device))]
                .add(sample)
        }
    }

    /// The base station computed rows itself.
    ///
    /// - Parameter fromFile: with experts that are no part of what its memory is to hold.
    func addBaseStation(rows: Int, seconds: Double, fromFile: Bool) {
        let sample = LatencyEstimator.Sample(
            rows: rows, roundTripSeconds: seconds, computeSeconds: seconds)
        state.withLock { state in
            state.baseStation.add(sample)
            if fromFile { state.file.add(sample) } else { state.memory.add(sample) }
        }
    }

    private func prior(_ device: DeviceDescription) -> LatencyEstimator.Estimate {
        let bytesPerSecond = device.memoryGigabytesPerSecond * 1e9
        // fp32, both ways.
        let bits = Double(shape.hidden * 2 * 32)
        return LatencyEstimator.Estimate(
            messageSeconds: Self.priorMessageSeconds,
            airSecondsPerRow: bits / Self.priorBitsPerSecond,
            computeSecondsPerRow: Self.expertSeconds(shape, bytesPerSecond: bytesPerSecond))
    }

    /// The time in which an expert's weights are read once.
    private static func expertSeconds(_ shape: ModelShape, bytesPerSecond: Double) -> Double {
        Double(shape.expertBytes.max() ?? 0) / max(bytesPerSecond, 1)
    }
}
