import Foundation
import SystemModel
import TestSupport
import Testing

@testable import Scenarios

struct ScenarioTests {
    static func reference() throws -> Scenario {
        try Scenario(yaml: [UInt8](Data(text().utf8)), file: "reference.yaml")
    }

    private static func text() throws -> String {
        try String(
            contentsOf: Fixtures.root.appending(path: "Scenarios/reference.yaml"), encoding: .utf8)
    }

    @Test func referenceCellIsAsItsFileSays() throws {
        let scenario = try Self.reference()
        #expect(scenario.shape.workload.activation.value == 65_536)
        #expect(scenario.shape.layers == 32 && scenario.shape.topK == 2)
        #expect(scenario.radio.total.value == 1e8)
        #expect(scenario.radio.pathLoss == .reference)
        #expect(scenario.radio.fading == .rayleigh)
        #expect(scenario.radio.windows == 100 && scenario.radio.seed == 2026)
        #expect(scenario.devices.count == 8 && scenario.devices[5].name == "d5")
        #expect(scenario.devices[5].speed.value == 2.2e12)
        #expect(scenario.decodeBatches == [1, 8] && scenario.prefillTokens == 256)
        // 32.4 + 20 log10 3.5 + 20 log10 34 = 73.91 dB
        #expect(abs(scenario.meanGain(scenario.devices[0]) / 4.064e-8 - 1) < 1e-3)
    }

    @Test func drawsFollowTheSeedAndRepeat() throws {
        var scenario = try Self.reference()
        let first = scenario.channels(window: 3)
        #expect(first == scenario.channels(window: 103))
        #expect(first != scenario.channels(window: 4))
        let series = scenario.series(device: 2).power(at: Seconds(1))
        #expect(series == scenario.series(device: 2).power(at: Seconds(1)))
        scenario.radio.seed = 1
        #expect(first != scenario.channels(window: 3))
    }

    /// Over all draws the fading of every device has mean 1, and no two devices' agree.
    @Test func drawsAreIndependent() throws {
        var scenario = try Self.reference()
        scenario.radio.windows = 4_000
        var sums = [Double](repeating: 0, count: 8)
        var product = 0.0
        for window in 0..<4_000 {
            let powers = zip(scenario.channels(window: window), scenario.devices).map {
                $0.link.gain / scenario.meanGain($1)
            }
            for device in 0..<8 { sums[device] += powers[device] }
            product += (powers[0] - 1) * (powers[1] - 1)
        }
        for sum in sums { #expect(abs(sum / 4_000 - 1) < 0.08, "seed 2026") }
        #expect(abs(product / 4_000) < 0.08, "seed 2026")
    }

    @Test(arguments: [
        ("carrierGHz: 3.5", "carrierGHz: -1", "radio.carrierGHz"),
        ("fading: rayleigh", "fading: rainy", "radio.fading"),
        ("seed: 2026", "sede: 2026", "radio.sede"),
        ("topK: 2", "topK: 0", "shape.topK"),
        ("teraflops: 9.5", "teraflops: many", "devices[1].teraflops"),
        ("20*log10(distanceMetres)", "20*sin(distanceMetres)", "radio.pathLossDb"),
        ("windows: 100", "windows: 1e3", "radio.windows"),
        ("devices:", "devices: [", "is not YAML"),
    ])
    func badInputIsRefusedInOneLine(good: String, bad: String, field: String) throws {
        let text = try Self.text().replacing(good, with: bad)
        let error = #expect(throws: ScenarioError.self) {
            try Scenario(yaml: Array(text.utf8), file: "cell.yaml")
        }
        let line = error?.description ?? ""
        #expect(line.hasPrefix("cell.yaml: ") && line.contains(field), "\(line)")
        #expect(!line.contains("\n"), "\(line)")
    }

    @Test func formulasOfPathLossAreRead() throws {
        let text = try Self.text().replacing(
            "32.4 + 20*log10(carrierGHz) + 20*log10(distanceMetres)",
            with: "30 + 21.5 * log10(carrierGHz)+35*log10(distanceMetres)")
        let scenario = try Scenario(yaml: Array(text.utf8), file: "cell.yaml")
        #expect(
            scenario.radio.pathLoss
                == .logarithmic(constant: 30, frequencySlope: 21.5, distanceSlope: 35))
    }
}
