import SystemModel

/// What a scenario file may ask for.
package enum ScenarioLimits {
    /// A cell of a thousand devices has 100 KB.
    package static let fileBytes = 1 << 20
    package static let devices = 1_000
    package static let layers = 1_000
    package static let experts = 4_096
    package static let windows = 1_000_000
    package static let tokens = 1 << 20
    package static let outages = 1_000
}

extension Scenario {
    /// Reads a scenario. Every key is named with its unit; unknown keys are refused.
    ///
    /// - Parameters:
    ///   - yaml: the document.
    ///   - file: its name in errors.
    package init(yaml: [UInt8], file: String) throws(ScenarioError) {
        let root = try ScenarioField(yaml: yaml, file: file)
        try root.allow([
            "name", "shape", "radio", "devices", "messageSeconds", "prefillTokens",
            "decodeBatches", "computeWatts", "idleWatts", "link",
        ])
        name = try root["name"].text()
        shape = try Shape(root["shape"])
        radio = try Radio(root["radio"])
        devices = try root["devices"].elements(1...ScenarioLimits.devices)
            .map { (field) throws(ScenarioError) in try Device(field) }
        message = Seconds(try root["messageSeconds"].number(0...3600, default: 0))
        prefillTokens = try root["prefillTokens"].integer(
            2...ScenarioLimits.tokens, default: 256)
        decodeBatches = []
        if !root["decodeBatches"].isMissing {
            decodeBatches = try root["decodeBatches"].elements(0...64)
                .map { (field) throws(ScenarioError) in
                    try field.integer(1...ScenarioLimits.tokens)
                }
        }
        link = try Link(root["link"], message: message)
        energy = EnergyModel(
            compute: Watts(try root["computeWatts"].number(0...1e6, default: 0)),
            idle: Watts(try root["idleWatts"].number(0...1e6, default: 0)))
    }
}

extension Scenario.Shape {
    fileprivate init(_ field: ScenarioField) throws(ScenarioError) {
        try field.allow([
            "hidden", "expertInner", "layers", "experts", "topK", "bitsPerElement",
        ])
        workload = ExpertWorkload(
            hidden: try field["hidden"].integer(1...1 << 20),
            expertInner: try field["expertInner"].integer(1...1 << 20),
            bitsPerElement: try field["bitsPerElement"].number(0.1...64))
        layers = try field["layers"].integer(1...ScenarioLimits.layers)
        experts = try field["experts"].integer(1...ScenarioLimits.experts)
        topK = try field["topK"].integer(1...ScenarioLimits.experts)
    }
}

extension Scenario.Radio {
    fileprivate init(_ field: ScenarioField) throws(ScenarioError) {
        try field.allow([
            "carrierGHz", "totalBandwidthHz", "noiseWattsPerHz", "noiseFigureDb",
            "powerDownWatts", "powerUpWatts", "pathLossDb", "fading", "ricianFactor", "seed",
            "windows", "duplex",
        ])
        carrier = Hertz(1e9 * (try field["carrierGHz"].number(0.01...300)))
        total = Hertz(try field["totalBandwidthHz"].number(1...1e12))
        if field["noiseWattsPerHz"].isMissing {
            noise =
                NoiseDensity(
                    noiseFigure: Decibels(
                        try field["noiseFigureDb"].number(0...60, default: 0))
                ).density
        } else {
            noise = WattsPerHertz(try field["noiseWattsPerHz"].number(1e-30...1))
        }
        powerDown = Watts(try field["powerDownWatts"].number(1e-9...1e6))
        powerUp = Watts(try field["powerUpWatts"].number(1e-9...1e6))
        pathLoss = try field["pathLossDb"].pathLoss()
        fading = try field.fading()
        seed = UInt64(try field["seed"].integer(0...Int.max, default: 0))
        windows = try field["windows"].integer(1...ScenarioLimits.windows, default: 100)
    }
}

extension Scenario.Device {
    fileprivate init(_ field: ScenarioField) throws(ScenarioError) {
        try field.allow(["name", "distanceMetres", "teraflops", "metresPerSecond"])
        name = try field["name"].text()
        distance = Metres(try field["distanceMetres"].number(0.1...1e6))
        speed = OperationsPerSecond(1e12 * (try field["teraflops"].number(1e-6...1e6)))
        motion = MetresPerSecond(try field["metresPerSecond"].number(0...1000, default: 0))
    }
}

extension Scenario.Link {
    /// Half of a message's time each way unless a delay is given.
    fileprivate init(_ field: ScenarioField, message: Seconds) throws(ScenarioError) {
        if !field.isMissing {
            try field.allow(["delaySeconds", "jitterSeconds", "outageFadeDb", "outage", "outages"])
        }
        delay = Seconds(
            try field["delaySeconds"].number(0...60, default: message.value / 2))
        jitter = Seconds(try field["jitterSeconds"].number(0...60, default: 0))
        outageFade =
            field["outageFadeDb"].isMissing
            ? 0 : Decibels(-(try field["outageFadeDb"].number(0...90))).factor
        let treatment = field["outage"].isMissing ? "hold" : try field["outage"].text()
        guard ["hold", "reset"].contains(treatment) else {
            throw field["outage"].failure("is \"\(treatment)\", expected hold or reset")
        }
        resets = treatment == "reset"
        outages = []
        if !field["outages"].isMissing {
            outages = try field["outages"].elements(0...ScenarioLimits.outages)
                .map { (field) throws(ScenarioError) in try Scenario.Outage(field) }
        }
    }
}

extension Scenario.Outage {
    fileprivate init(_ field: ScenarioField) throws(ScenarioError) {
        try field.allow(["device", "startSeconds", "seconds"])
        device = try field["device"].text()
        start = Seconds(try field["startSeconds"].number(0...1e6))
        length = Seconds(try field["seconds"].number(0...1e6))
    }
}

extension ScenarioField {
    /// Names of TR 38.901's models, or a formula.
    private static let pathLosses: [(name: String, model: PathLoss)] = [
        ("freeSpace", .freeSpace), ("reference", .reference),
        ("streetCanyonSight", .streetCanyon(lineOfSight: true)),
        ("streetCanyonHidden", .streetCanyon(lineOfSight: false)),
        ("indoorOfficeSight", .indoorOffice(lineOfSight: true)),
        ("indoorOfficeHidden", .indoorOffice(lineOfSight: false)),
    ]

    /// A name, or `constant + a*log10(carrierGHz) + b*log10(distanceMetres)`.
    fileprivate func pathLoss() throws(ScenarioError) -> PathLoss {
        let text = try text()
        if let known = Self.pathLosses.first(where: { $0.name == text }) { return known.model }
        var constant = 0.0
        var slopes = ["log10(carrierGHz)": 0.0, "log10(distanceMetres)": 0.0]
        for term in text.split(separator: "+") {
            let factors = term.split(separator: "*").map { $0.filter { $0 != " " } }
            guard let number = factors.first.flatMap(Double.init), number.isFinite else {
                throw unknownPathLoss(text)
            }
            switch factors.count {
            case 1: constant += number
            case 2 where slopes[factors[1]] != nil: slopes[factors[1], default: 0] += number
            default: throw unknownPathLoss(text)
            }
        }
        return .logarithmic(
            constant: constant, frequencySlope: slopes["log10(carrierGHz)"] ?? 0,
            distanceSlope: slopes["log10(distanceMetres)"] ?? 0)
    }

    private func unknownPathLoss(_ text: String) -> ScenarioError {
        let names = Self.pathLosses.map(\.name).joined(separator: ", ")
        return failure(
            "is \"\(text.prefix(60))\", expected \(names) or A + B*log10(carrierGHz) + "
                + "C*log10(distanceMetres)")
    }

    fileprivate func fading() throws(ScenarioError) -> Fading {
        let name = self["fading"].isMissing ? "none" : try self["fading"].text()
        switch name {
        case "none": return .none
        case "rayleigh": return .rayleigh
        case "rician":
            return .rician(factor: try self["ricianFactor"].number(0...1e6))
        default:
            throw self["fading"].failure("is \"\(name)\", expected none, rayleigh or rician")
        }
    }
}
