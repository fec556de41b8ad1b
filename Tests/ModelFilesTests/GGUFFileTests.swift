import Foundation
import TestSupport
import Testing

@testable import ModelFiles

/// GGUF files that are right open; files that are wrong are refused with one line, never a crash.
struct GGUFFileTests {
    static let mixtral = Fixtures.path("models/mixtral/model-f32.gguf")

    @Test func opensAPublishedLayout() throws {
        let file = try GGUFFile(path: Self.mixtral)
        #expect(file.version == 3)
        #expect(try file.string("general.architecture") == "llama")
        #expect(try file.integer("llama.expert_count", in: 0...100) == 8)
        #expect(file.archive["blk.0.ffn_gate_exps.weight"]?.dimensions == [8, 96, 64])
        #expect(try file.archive.matrices(
            "blk.1.ffn_down_exps.weight", count: 8, rows: 64, columns: 96).count == 8)
    }

    /// Cut at every KiB: always an error that names the file, in one line.
    @Test func truncatedFilesAreRefused() throws {
        let bytes = try Fixtures.bytes("models/mixtral/model-f32.gguf")
        let folder = try TemporaryFolder()
        for count in stride(from: 0, to: bytes.count, by: 1024) {
            let path = try folder.write("cut.gguf", Array(bytes.prefix(count)))
            let error = #expect(throws: ModelFileError.self, "cut at \(count)") {
                try GGUFFile(path: path)
            }
            #expect(error?.description.hasPrefix(path) == true)
            #expect(error?.description.contains("\n") == false)
        }
    }
}
