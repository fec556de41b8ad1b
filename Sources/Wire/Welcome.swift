package import SystemModel

/// The base station's answer to a hello that it accepts.
package struct Welcome: JSONMessage, Equatable {
    /// `Frame.Kind.welcome`.
    package static let kind = Frame.Kind.welcome

    /// The device's number from now on.
    package let deviceID: DeviceID
    /// What its bulk connection must show.
    package let sessionToken: SessionToken
    /// How activations travel, both ways.
    package let activationCodec: ActivationCodec
    /// How often either side pings, in milliseconds.
    package let heartbeatMilliseconds: Int

    /// Accepts a device.
    package init(
        deviceID: DeviceID, sessionToken: SessionToken, activationCodec: ActivationCodec,
        heartbeatMilliseconds: Int
    ) {
        self.deviceID = deviceID
        self.sessionToken = sessionToken
        self.activationCodec = activationCodec
        self.heartbeatMilliseconds = heartbeatMilliseconds
    }

    /// Checks the heartbeat interval against `Limits`.
    package func validate() throws(WireError) {
        try Requirements.range(
            heartbeatMilliseconds, Limits.heartbeatMilliseconds, "welcome: heartbeatMilliseconds")
    }
}
