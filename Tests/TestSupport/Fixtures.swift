package import Foundation

/// Where the files that tests read lie in the checkout.
package enum Fixtures {
    /// The checkout's root.
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The path of a file under Tests/Fixtures.
    package static func path(_ name: String) -> String {
        root.appending(path: "Tests/Fixtures").appending(path: name).path
    }

    /// The path of the shipped model.
    package static let demoModel = root.appending(path: "Models/demo-mixtral-q8_0.gguf").path

    /// The bytes of a file under Tests/Fixtures.
    package static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path(name))))
    }

    /// A file of little-endian fp32 numbers under Tests/Fixtures.
    package static func floats(_ name: String) throws -> [Float] {
        let bytes = try bytes(name)
        return stride(from: 0, to: bytes.count, by: 4).map { at in
            Float(
                bitPattern: UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8
                    | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24)
        }
    }
}

/// What transformers computed for one of the tiny models (`expected.json`).
package struct ExpectedModel: Decodable {
    package let input_ids: [Int]
    package let greedy_prompt: [Int]
    package let greedy_continuation: [Int]

    /// - Parameter folder: "models", or "variants" for other shapes of the same architectures.
    package init(_ model: String, in folder: String = "models") throws {
        self = try JSONDecoder().decode(
            Self.self, from: Data(try Fixtures.bytes("\(folder)/\(model)/expected.json")))
    }
}

/// A folder for one test's files; gone with the value.
package final class TemporaryFolder: Sendable {
    /// The folder's path.
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory
            .appending(path: "martlet-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file into the folder and returns its path.
    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }
}
