import Foundation
import ModelFiles
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import MoEModel

/// How weights come into memory changes no result.
struct LoadingTests {
    /// The copy is what is read: the file's bytes are overwritten before anything is computed.
    @Test(arguments: ModelFormat.allCases)
    func copiedWeightsAreTheFiles(_ format: ModelFormat) throws {
        let expected = try ExpectedModel("mixtral")
        let wanted = try LocalRun(format.path("mixtral"), expected).logits(expected.input_ids)
        let folder = try TemporaryFolder()
        let weights = format == .gguf ? "model-f32.gguf" : "model.safetensors"
        for name in ["config.json", weights] {
            _ = try folder.write(name, Fixtures.bytes("models/mixtral/\(name)"))
        }
        let file = folder.path + "/" + weights
        let copied = try LocalRun(
            format == .gguf ? file : folder.path, expected, loading: .hugePages)
        try Self.fillWithZeros(file)
        let isSame = try copied.logits(expected.input_ids) == wanted
        #expect(isSame)
    }

    /// In place: a mapping of the file would show it.
    private static func fillWithZeros(_ path: String) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        let count = try handle.seekToEnd()
        try handle.seek(toOffset: 0)
        try handle.write(contentsOf: Data(count: Int(count)))
        try handle.close()
    }
}
