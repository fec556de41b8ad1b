import Foundation
import GRDB
package import SystemModel

/// Why a profile cannot be read or written: one line with the file.
package struct ProfileError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// A calibration profile as a SQLite file.
///
/// Tables: `meta`, `layers`, `experts` (mean outputs as little-endian fp64), `pairs` (coactivation,
/// products, transitions) and `visits` (the routing trace).
package struct ProfileDatabase {
    /// Known to this version; others are refused.
    private static let version = 1
    private static let maxLayers = 1_000
    private static let maxExperts = 4_096
    /// One expert's mean output; 2²⁰ elements.
    private static let maxOutputBytes = 8 << 20

    private let path: String
    private let queue: DatabaseQueue

    /// Makes a new file, in place of any that is there.
    package static func create(
        path: String, profile: CalibrationProfile, visits: [RoutingVisit]
    ) throws(ProfileError) {
        try? FileManager.default.removeItem(atPath: path)
        do {
            let queue = try DatabaseQueue(path: path)
            try queue.write { database in
                try createTables(database)
                try insert(profile, database)
                try insert(visits, database)
            }
        } catch {
            throw ProfileError(description: "\(path): cannot be written: \(reason(error))")
        }
    }

    /// Opens a file that `create` made, for reading.
    package init(path: String) throws(ProfileError) {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.readonly = true
            queue = try DatabaseQueue(path: path, configuration: configuration)
            let found = try queue.read { database in
                try Int.fetchOne(
                    database, sql: "SELECT value FROM meta WHERE key = 'version'")
            }
            guard found == Self.version else {
                throw ProfileError(
                    description: "\(path): has version \(found.map(String.init) ?? "none"), "
                        + "expected \(Self.version)")
            }
        } catch let error as ProfileError {
            throw error
        } catch {
            throw ProfileError(
                description: "\(path): is no calibration profile: \(Self.reason(error))")
        }
    }

    /// Reads everything but the trace.
    package func profile() throws(ProfileError) -> CalibrationProfile {
        do {
            return try queue.read { database in try read(database) }
        } catch let error as ProfileError {
            throw error
        } catch {
            throw ProfileError(description: "\(path): cannot be read: \(Self.reason(error))")
        }
    }

    /// What tokens visited and how soon they came back, from the trace.
    ///
    /// - Complexity: reads and sorts the whole trace.
    package func routing() throws(ProfileError) -> RecordedRouting {
        do {
            return try queue.read { database in try readRouting(database) }
        } catch let error as ProfileError {
            throw error
        } catch {
            throw ProfileError(description: "\(path): cannot be read: \(Self.reason(error))")
        }
    }

    /// Tables by name, each with the columns that a CSV export has.
    package static let exports: [(table: String, columns: [String])] = [
        ("layers", ["layer", "experts", "lossPerSquare"]),
        ("experts", ["layer", "expert", "visits", "meanWeight", "meanOutputNorm"]),
        (
            "pairs",
            ["layer", "first", "second", "coactivation", "product", "similarity", "transition"]
        ),
        ("visits", ["window", "position", "layer", "expert", "weight"]),
    ]

    /// One table as CSV with a header.
    package func csv(table: String, columns: [String]) throws(ProfileError) -> String {
        do {
            return try queue.read { database in
                let names = columns.joined(separator: ", ")
                var lines = [columns.joined(separator: ",")]
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT \(names) FROM \(table) ORDER BY rowid")
                while let row = try rows.next() {
                    lines.append(
                        columns.map { "\(row[$0] as DatabaseValue)" }.joined(separator: ","))
                }
                return lines.joined(separator: "\n") + "\n"
            }
        } catch {
            throw ProfileError(description: "\(path): cannot be read: \(Self.reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        (error as? DatabaseError)?.message ?? "\(error)"
    }

    private static func createTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
                CREATE TABLE layers (
                    layer INTEGER PRIMARY KEY, experts INTEGER NOT NULL,
                    lossPerSquare REAL NOT NULL);
                CREATE TABLE experts (
                    layer INTEGER NOT NULL, expert INTEGER NOT NULL, visits INTEGER NOT NULL,
                    meanWeight REAL NOT NULL, meanOutputNorm REAL NOT NULL,
                    meanOutput BLOB NOT NULL, PRIMARY KEY (layer, expert));
                CREATE TABLE pairs (
                    layer INTEGER NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL,
                    coactivation INTEGER NOT NULL, product REAL NOT NULL,
                    similarity REAL NOT NULL, transition INTEGER NOT NULL,
                    PRIMARY KEY (layer, first, second));
                CREATE TABLE visits (
                    window INTEGER NOT NULL, position INTEGER NOT NULL, layer INTEGER NOT NULL,
                    expert INTEGER NOT NULL, weight REAL NOT NULL);
                """)
    }

    private static func insert(_ profile: CalibrationProfile, _ database: Database) throws {
        for (key, value) in [("version", version), ("tokens", profile.tokens)] {
            try database.execute(
                sql: "INSERT INTO meta VALUES (?, ?)", arguments: [key, value])
        }
        for (index, layer) in profile.layers.enumerated() {
            try database.execute(
                sql: "INSERT INTO layers VALUES (?, ?, ?)",
                arguments: [index, layer.experts.count, layer.lossPerSquare])
            for (number, expert) in layer.experts.enumerated() {
                try database.execute(
                    sql: "INSERT INTO experts VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [
                        index, number, expert.visits, expert.meanWeight, expert.meanOutputNorm,
                        bytes(expert.meanOutput),
                    ])
            }
            try insert(pairs: layer, index, database)
        }
    }

    private static func insert(
        pairs layer: CalibrationProfile.Layer, _ index: Int, _ database: Database
    ) throws {
        let count = layer.experts.count
        for first in 0..<count {
            for second in 0..<count {
                let at = first * count + second
                try database.execute(
                    sql: "INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        index, first, second, layer.coactivation[at], layer.products[at],
                        layer.similarity(first, second), layer.transitions[at],
                    ])
            }
        }
    }

    private static func insert(_ visits: [RoutingVisit], _ database: Database) throws {
        let statement = try database.makeStatement(
            sql: "INSERT INTO visits VALUES (?, ?, ?, ?, ?)")
        for visit in visits {
            try statement.execute(arguments: [
                visit.window, visit.position, visit.layer, visit.expert, visit.weight,
            ])
        }
    }

    private static func bytes(_ values: [Double]) -> Data {
        Data(
            values.flatMap { value in
                (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
            })
    }
}

extension ProfileDatabase {
    private func read(_ database: Database) throws -> CalibrationProfile {
        let tokens =
            try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'tokens'") ?? 0
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM layers ORDER BY layer")
        guard rows.count <= Self.maxLayers else {
            throw refused("has \(rows.count) layers, the limit is \(Self.maxLayers)")
        }
        let layers = try rows.enumerated().map { index, row in
            let count: Int = row["experts"]
            guard row["layer"] == index, 0...Self.maxExperts ~= count else {
                throw refused(
                    "layers: row \(index) has \(count) experts, the limit is \(Self.maxExperts)")
            }
            return try layer(
                index, experts: count, lossPerSquare: row["lossPerSquare"], database)
        }
        return CalibrationProfile(tokens: tokens, layers: layers)
    }

    private func readRouting(_ database: Database) throws -> RecordedRouting {
        let experts = try Int.fetchAll(database, sql: "SELECT experts FROM layers ORDER BY layer")
        let layers = experts.count
        guard layers <= Self.maxLayers else {
            throw refused("has \(layers) layers, the limit is \(Self.maxLayers)")
        }
        guard experts.allSatisfy({ 0...Self.maxExperts ~= $0 }) else {
            throw refused("layers: a layer may have at most \(Self.maxExperts) experts")
        }
        var counts = [[[Int]: Int]](repeating: [:], count: layers)
        var reuse = ReuseRecorder(experts: experts, forgets: false)
        func add(_ set: [Int], _ layer: Int) {
            counts[layer][set, default: 0] += 1
            reuse.add(layer: layer, set)
        }
        var (token, set): ([Int], [Int]) = ([], [])
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT layer, window, position, expert FROM visits
                ORDER BY layer, window, position, expert
                """)
        while let row = try rows.next() {
            let next: [Int] = [row[0], row[1], row[2]]
            let expert: Int = row[3]
            guard 0..<layers ~= next[0], 0..<experts[next[0]] ~= expert else {
                throw refused("visits: layer \(next[0]), expert \(expert) is in no layer")
            }
            if next != token, let layer = token.first {
                add(set, layer)
                set = []
            }
            token = next
            if set.last != expert { set.append(expert) }
        }
        if let layer = token.first { add(set, layer) }
        let sets = counts.map { sets in
            sets.map { RoutedSet(experts: $0.key, count: $0.value) }
                .sorted { ($1.count, $0.experts.description) < ($0.count, $1.experts.description) }
        }
        return RecordedRouting(sets: sets, reuse: reuse.times)
    }

    private func layer(
        _ index: Int, experts count: Int, lossPerSquare: Double, _ database: Database
    ) throws -> CalibrationProfile.Layer {
        let experts = try Row.fetchAll(
            database, sql: "SELECT * FROM experts WHERE layer = ? ORDER BY expert",
            arguments: [index])
        let pairs = try Row.fetchAll(
            database, sql: "SELECT * FROM pairs WHERE layer = ? ORDER BY first, second",
            arguments: [index])
        guard experts.count == count, pairs.count == count * count else {
            throw refused(
                "layer \(index) has \(experts.count) experts and \(pairs.count) pairs, expected "
                    + "\(count) and \(count * count)")
        }
        return CalibrationProfile.Layer(
            experts: try experts.map { try expert($0) },
            coactivation: pairs.map { $0["coactivation"] },
            products: pairs.map { $0["product"] }, transitions: pairs.map { $0["transition"] },
            lossPerSquare: lossPerSquare)
    }

    private func expert(_ row: Row) throws -> CalibrationProfile.Expert {
        let output: Data = row["meanOutput"]
        guard output.count <= Self.maxOutputBytes, output.count % 8 == 0 else {
            throw refused(
                "experts: meanOutput has \(output.count) bytes, the limit is "
                    + "\(Self.maxOutputBytes)")
        }
        let bytes = [UInt8](output)
        let values = stride(from: 0, to: bytes.count, by: 8).map { at in
            Double(
                bitPattern: (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << (8 * $1) })
        }
        return CalibrationProfile.Expert(
            visits: row["visits"], meanWeight: row["meanWeight"],
            meanOutputNorm: row["meanOutputNorm"], meanOutput: values)
    }

    private func refused(_ message: String) -> ProfileError {
        ProfileError(description: "\(path): \(message)")
    }
}
