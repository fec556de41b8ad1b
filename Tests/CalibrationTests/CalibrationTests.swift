import Foundation
import MoEModel
import ModelFiles
import Planning
import SystemModel
import TestSupport
import Testing

@testable import Calibration

/// The shipped model on two short windows of random ids, to a file and back.
struct CalibrationTests {
    static let seed: UInt64 = 4
    let result: CalibrationRun.Result

    init() throws {
        let model = try Model(ModelFile.open(Fixtures.demoModel))
        var generator = SeededGenerator(seed: Self.seed)
        let windows = (0..<2).map { _ in (0..<24).map { _ in Int(generator.next() % 4_096) } }
        result = try CalibrationRun(model).run(windows)
    }

    @Test func everyVisitIsCounted() {
        #expect(result.profile.tokens == 48)
        #expect(result.visits.count == 48 * 6 * 2)
        for layer in result.profile.layers {
            #expect(layer.experts.reduce(0) { $0 + $1.visits } == 96)
            let weight = layer.experts.reduce(0) { $0 + Double($1.visits) * $1.meanWeight }
            #expect(abs(weight - 48) < 1e-3, "each token's weights sum to 1")
            // Each token has two visits, so four ordered pairs with itself.
            #expect(layer.coactivation.reduce(0, +) == 48 * 4)
            #expect(layer.lossPerSquare >= 0)
        }
        // From each of two experts to each of two in the next layer.
        #expect(
            result.profile.layers.dropLast().allSatisfy {
                $0.transitions.reduce(0, +) == 48 * 4
            })
        #expect(result.profile.layers.last?.transitions.reduce(0, +) == 0)
    }

    @Test func productsAreThoseOfVectors() throws {
        for layer in result.profile.layers {
            let count = layer.experts.count
            for left in 0..<count {
                for right in 0..<count {
                    #expect(
                        layer.products[left * count + right]
                            == layer.products[right * count + left])
                    #expect(abs(layer.similarity(left, right)) < 2)
                }
                #expect(layer.products[left * count + left] >= 0)
            }
        }
    }

    @Test func profileSurvivesItsFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/profile.db"
        try ProfileDatabase.create(path: path, profile: result.profile, visits: result.visits)
        let database = try ProfileDatabase(path: path)
        #expect(try database.profile() == result.profile)
        for (table, columns) in ProfileDatabase.exports {
            let lines = try database.csv(table: table, columns: columns).split(separator: "\n")
            #expect(lines[0] == columns.joined(separator: ","))
            #expect(lines.count > 6)
        }
    }

    @Test func whatIsNoProfileIsRefused() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("text.db", Array("no database at all, only text".utf8))
        let error = #expect(throws: ProfileError.self) { try ProfileDatabase(path: path) }
        #expect(error?.description.hasPrefix(path) ?? false)
        #expect(throws: ProfileError.self) { try ProfileDatabase(path: folder.path + "/none.db") }
    }

    /// A second expert that does what the first does can be dropped for nothing; one that does the
    /// opposite cannot.
    @Test func similarExpertsAreCheapToDrop() {
        let alike = QualityModel(gram: [[1, 1, 1, 1]], experts: 2)
        let opposite = QualityModel(gram: [[1, -1, -1, 1]], experts: 2)
        #expect(Self.lossOfDropping(alike) < 1e-9)
        #expect(Self.lossOfDropping(opposite) > 0.3)
    }

    private static func lossOfDropping(_ quality: QualityModel) -> Double {
        quality.loss(layer: 0, own: [(0, 0.7), (1, 0.3)], used: [(0, 1)])
    }
}
