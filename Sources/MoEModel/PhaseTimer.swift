package import SystemModel

/// Where the time of forward passes goes, for whoever asks (`Transformer.forward`).
package final class PhaseTimer {
    /// What a layer, and in the end the model, does one after another.
    package enum Phase: Int, CaseIterable {
        /// Embedding, norms, attention with its projections.
        case attention
        /// The router's logits, and who is chosen.
        case router
        /// Routed and shared experts, dense feed-forwards; waiting for devices.
        case experts
        /// The last norm and the head.
        case head
    }

    private let clock: any MonotonicClock
    private var last: Duration
    private var sums = [Duration](repeating: .zero, count: Phase.allCases.count)

    package init(clock: any MonotonicClock) {
        self.clock = clock
        last = clock.now
    }

    /// Time that was spent in `phase`, in seconds.
    package func seconds(_ phase: Phase) -> Double { sums[phase.rawValue].seconds }

    /// Forgets what was spent.
    package func reset() {
        sums = sums.map { _ in .zero }
        last = clock.now
    }

    /// A pass begins.
    func start() { last = clock.now }

    /// What was done since the last call belongs to `phase`.
    func mark(_ phase: Phase) {
        let now = clock.now
        sums[phase.rawValue] += now - last
        last = now
    }
}
