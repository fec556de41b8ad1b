import Planning
import SystemModel

extension BandwidthProblem {
    /// Reads `{"totalHertz", "noiseWattsPerHertz", "devices": [...]}`.
    init(_ root: ProblemField) throws {
        try root.allow(["totalHertz", "noiseWattsPerHertz", "devices"])
        self.init(
            total: Hertz(try root["totalHertz"].positive()),
            noise: WattsPerHertz(try root["noiseWattsPerHertz"].positive()),
            devices: try root["devices"].elements(0...ProblemLimits.devices).map {
                try BandwidthDevice($0)
            })
    }
}

extension BandwidthDevice {
    fileprivate init(_ field: ProblemField) throws {
        try field.allow([
            "name", "tokens", "bitsDown", "bitsUp", "gain", "powerDownWatts", "powerUpWatts",
            "computeSeconds", "messageSeconds",
        ])
        if !field["name"].isMissing { _ = try field["name"].text() }
        self.init(
            tokens: try field["tokens"].integer(0...1_000_000_000),
            bitsDown: Bits(try field["bitsDown"].notNegative()),
            bitsUp: Bits(try field["bitsUp"].notNegative()),
            link: RadioLink(
                gain: try field["gain"].positive(),
                powerDown: Watts(try field["powerDownWatts"].positive()),
                powerUp: Watts(try field["powerUpWatts"].positive())),
            compute: Seconds(try field["computeSeconds"].notNegative()),
            message: Seconds(try field["messageSeconds"].notNegative()))
    }
}
