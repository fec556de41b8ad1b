/// What a device takes: per message and per token (methods, section 1).
///
/// The simulator computes it from the radio model; the base station measures it. Planners see no
/// difference.
package struct DeviceLatency: Sendable, Equatable {
    /// `o_k`: round trip and fixed software cost of a message.
    package var message: Seconds
    /// `t_k`: air both ways and computing, of one token.
    package var token: Seconds

    package init(message: Seconds, token: Seconds) {
        self.message = message
        self.token = token
    }

    /// `T_k = o_k + n_k · t_k`; nothing for no tokens.
    package func seconds(tokens: Int) -> Seconds {
        tokens == 0 ? .zero : message + Double(tokens) * token
    }
}

/// All devices of a layer.
package struct LatencyModel: Sendable, Equatable {
    package var devices: [DeviceLatency]

    package init(devices: [DeviceLatency]) {
        self.devices = devices
    }

    /// `T_l = max_k T_k`: the next attention waits for the last device.
    ///
    /// - Parameter tokens: `[devices]`, tokens sent to each.
    package func layerSeconds(tokens: [Int]) -> Seconds {
        precondition(tokens.count == devices.count, "one count of tokens per device")
        return zip(devices, tokens).map { $0.seconds(tokens: $1) }.max() ?? .zero
    }
}

/// The radio and compute side of one device, from which its `t_k` follows.
package struct DeviceChannel: Sendable, Equatable {
    package var link: RadioLink
    /// `C_k`.
    package var speed: OperationsPerSecond

    package init(link: RadioLink, speed: OperationsPerSecond) {
        self.link = link
        self.speed = speed
    }

    /// `t_k = D/R_down + D/R_up + F/C` over a share of the spectrum.
    package func tokenSeconds(
        _ workload: ExpertWorkload, bandwidth: Hertz, rate: ShannonRate
    ) -> Seconds {
        let air = link.airtime(
            down: workload.activation, up: workload.activation, bandwidth: bandwidth, rate: rate)
        return air.down + air.up + workload.compute / speed
    }
}
