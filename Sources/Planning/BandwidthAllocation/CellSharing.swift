package import SystemModel

/// How a cell's spectrum is shared while tokens flow: one split for the layers of the recent past
/// (`LongTermBandwidth`), changed only when that is worth it (methods, section 2; hysteresis ours).
package struct CellSharing: Sendable {
    /// One device as the cell sees it.
    package struct Device: Sendable, Equatable {
        /// Its link; the gain is the present one.
        package var link: RadioLink
        /// The share that it has now.
        package var hertz: Double
        /// Computing one row, s.
        package var computeSeconds: Double

        package init(link: RadioLink, hertz: Double, computeSeconds: Double) {
            self.link = link
            self.hertz = hertz
            self.computeSeconds = computeSeconds
        }
    }

    /// Every device keeps this part of an equal share: with nothing it could not even answer a
    /// ping.
    private static let leastShare = 0.05

    /// A split must shorten the mean layer by this share to be worth a change.
    package var hysteresis = 0.05

    package init() {}

    /// The split to change to; nil where the present one is good enough or nothing is known.
    ///
    /// - Parameters:
    ///   - devices: of the whole cell.
    ///   - total: the spectrum of the cell, in Hz.
    ///   - bitsPerRow: each way, as the cell counts them.
    ///   - message: what a message takes beside its rows.
    ///   - rounds: `[layers][devices]`: rows sent in the recent past.
    /// - Returns: `[devices]`, in Hz.
    /// - Complexity: that of `LongTermBandwidth`.
    package func shares(
        _ devices: [Device], total: Hertz, noise: WattsPerHertz, bitsPerRow: Bits,
        message: Seconds, rounds: [[Int]]
    ) -> [Double]? {
        guard !devices.isEmpty, rounds.contains(where: { $0.contains { $0 > 0 } }) else {
            return nil
        }
        let least = Self.leastShare * total.value / Double(devices.count)
        let free = total.value - least * Double(devices.count)
        var problem = BandwidthProblem(
            total: Hertz(free), noise: noise,
            devices: devices.map {
                BandwidthDevice(
                    tokens: 0, bitsDown: bitsPerRow, bitsUp: bitsPerRow, link: $0.link,
                    compute: Seconds($0.computeSeconds), message: message)
            })
        let wanted = LongTermBandwidth(problem, tokens: rounds).solve().map { $0.value + least }
        problem.total = total
        let now = seconds(problem, rounds, devices.map(\.hertz))
        let then = seconds(problem, rounds, wanted)
        return then < now * (1 - hysteresis) ? wanted : nil
    }

    /// The sum of the layers' times under a split, s.
    private func seconds(
        _ problem: BandwidthProblem, _ rounds: [[Int]], _ hertz: [Double]
    ) -> Double {
        rounds.reduce(0) { $0 + problem.with(tokens: $1).plan(hertz).seconds }
    }
}
