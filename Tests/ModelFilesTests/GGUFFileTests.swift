import Foundation
import Tensors
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
        #expect(
            try file.archive.matrices(
                "blk.1.ffn_down_exps.weight", count: 8, rows: 64, columns: 96
            ).count == 8)
    }

    /// Cut at every KiB, the last cut first: always an error that names the file, in one line.
    @Test func truncatedFilesAreRefused() throws {
        let bytes = try Fixtures.bytes("models/mixtral/model-f32.gguf")
        let folder = try TemporaryFolder()
        let path = try folder.write("cut.gguf", bytes)
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        for count in stride(from: 0, to: bytes.count, by: 1024).reversed() {
            try handle.truncate(atOffset: UInt64(count))
            let error = #expect(throws: ModelFileError.self, "cut at \(count)") {
                try GGUFFile(path: path)
            }
            #expect(error?.description.hasPrefix(path) == true)
            #expect(error?.description.contains("\n") == false)
        }
    }

    /// A file far larger than memory opens by its header alone.
    @Test func sizeDoesNotMatter() throws {
        let folder = try TemporaryFolder()
        let elements: UInt64 = 1 << 30
        var builder = GGUFBuilder(tensors: [.init(name: "big", dimensions: [1 << 15, 1 << 15])])
        builder.dataBytes = 1
        let header = builder.bytes.dropLast()
        let path = try folder.write("big.gguf", Array(header))
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        // The rest is a hole: it takes no room on disk.
        try handle.truncate(atOffset: UInt64(header.count) + 4 * elements)
        let start = ContinuousClock.now
        let file = try GGUFFile(path: path)
        #expect(ContinuousClock.now - start < .milliseconds(200))
        #expect(file.archive["big"]?.bytes.count == 4 << 30)
    }
}
