package import SystemModel

/// One device that wants a share of the spectrum.
package struct BandwidthDevice: Sendable, Equatable {
    /// `n_k`; a device without tokens needs no spectrum.
    package var tokens: Int
    /// Sent to the device for one token.
    package var bitsDown: Bits
    /// Sent back for one token.
    package var bitsUp: Bits
    package var link: RadioLink
    /// Computing one token.
    package var compute: Seconds
    /// `o_k`.
    package var message: Seconds

    package init(
        tokens: Int, bitsDown: Bits, bitsUp: Bits, link: RadioLink, compute: Seconds,
        message: Seconds
    ) {
        self.tokens = tokens
        self.bitsDown = bitsDown
        self.bitsUp = bitsUp
        self.link = link
        self.compute = compute
        self.message = message
    }
}

/// Who shares how much spectrum (methods, section 2). Rates are Shannon's, without gap or cap.
package struct BandwidthProblem: Sendable, Equatable {
    /// `B`.
    package var total: Hertz
    package var noise: WattsPerHertz
    package var devices: [BandwidthDevice]

    /// - Precondition: positive spectrum and noise; gains and powers are positive, times and bits
    ///   not negative.
    package init(total: Hertz, noise: WattsPerHertz, devices: [BandwidthDevice]) {
        precondition(total.value > 0 && noise.value > 0, "spectrum and noise are positive")
        precondition(
            devices.allSatisfy {
                $0.tokens >= 0 && $0.link.gain > 0 && $0.link.powerDown.value > 0
                    && $0.link.powerUp.value > 0
            }, "gains and powers are positive")
        self.total = total
        self.noise = noise
        self.devices = devices
    }

    /// The same devices with other counts of tokens, `[devices]`.
    package func with(tokens: [Int]) -> BandwidthProblem {
        var copy = self
        for device in copy.devices.indices { copy.devices[device].tokens = tokens[device] }
        return copy
    }

    /// The cost of one token at one device over a share of the spectrum.
    func curve(_ device: Int) -> AirtimeCurve {
        AirtimeCurve(devices[device], noise: noise)
    }

    /// The plan that a split means.
    ///
    /// - Parameter hertz: `[devices]`.
    package func plan(_ hertz: [Double]) -> BandwidthPlan {
        let seconds = devices.indices.map { device -> Double in
            let tokens = devices[device].tokens
            guard tokens > 0 else { return 0 }
            return devices[device].message.value
                + Double(tokens) * curve(device).tokenSeconds(hertz[device])
        }
        return BandwidthPlan(hertz: hertz, deviceSeconds: seconds)
    }
}

/// A split of the spectrum and what it means.
package struct BandwidthPlan: Sendable, Equatable {
    /// `[devices]`, Hz.
    package let hertz: [Double]
    /// `T_k`, `[devices]`, s; infinite for a device that has tokens and no spectrum.
    package let deviceSeconds: [Double]

    /// When the last device has finished, s.
    package var seconds: Double { deviceSeconds.max() ?? 0 }
}

/// How the spectrum is shared.
package enum BandwidthMethod: String, Sendable, CaseIterable {
    /// The same for every device; the shares of idle ones go unused.
    case equal
    /// The same for every device that has tokens.
    case active
    /// In proportion to tokens.
    case proportional
    /// So that the last device finishes as early as possible.
    case minmax

    /// Splits one layer's spectrum. A device without tokens gets 0 Hz.
    package func allocate(_ problem: BandwidthProblem) -> BandwidthPlan {
        switch self {
        case .equal: problem.equalSplit()
        case .active: problem.split { $0.tokens > 0 ? 1 : 0 }
        case .proportional: problem.split { Double($0.tokens) }
        case .minmax: MinMaxBandwidth(problem).solve()
        }
    }
}

extension BandwidthProblem {
    /// One share for each, but nothing to those that would not use it.
    fileprivate func equalSplit() -> BandwidthPlan {
        let share = total.value / Double(max(1, devices.count))
        return plan(devices.map { $0.tokens > 0 ? share : 0 })
    }

    /// Splits in proportion to `share`; nothing where nobody has a share.
    fileprivate func split(_ share: (BandwidthDevice) -> Double) -> BandwidthPlan {
        let shares = devices.map(share)
        let sum = shares.reduce(0, +)
        return plan(shares.map { sum > 0 ? total.value * $0 / sum : 0 })
    }
}
