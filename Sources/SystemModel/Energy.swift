/// What a device's share of a layer costs in energy (methods, section 1):
/// `E_k = P_tx · bits/R + P_compute · FLOP/C + P_idle · time`.
package struct EnergyModel: Sendable, Equatable {
    /// Drawn while computing, on top of idle.
    package var compute: Watts
    /// Drawn all the time.
    package var idle: Watts

    package init(compute: Watts, idle: Watts) {
        self.compute = compute
        self.idle = idle
    }

    /// The energy of one layer at one device, the base station's sending to it included.
    ///
    /// - Parameters:
    ///   - tokens: tokens sent to the device.
    ///   - airtime: of one token, each way.
    ///   - computing: of one token.
    ///   - layer: how long the whole layer took; the device idles through it.
    package func joules(
        tokens: Int, link: RadioLink, airtime: (down: Seconds, up: Seconds), computing: Seconds,
        layer: Seconds
    ) -> Joules {
        let count = Double(tokens)
        let busy =
            tokens == 0
            ? .zero
            : link.powerDown * (count * airtime.down) + link.powerUp * (count * airtime.up)
                + compute * (count * computing)
        return busy + idle * layer
    }
}
