import Foundation
import SystemModel
import Tensors
import TestSupport
import Testing

@testable import ModelFiles

/// Files that are written are read back equal, wherever an earlier attempt ended.
struct GGUFWriterTests {
    /// A model of two matrices and a vector, with numbers from a seed.
    private struct Example {
        let folder: TemporaryFolder
        let metadata = [
            GGUFMetadataEntry("general.architecture", "test"), GGUFMetadataEntry("test.size", 7),
            GGUFMetadataEntry("test.scale", 0.25), GGUFMetadataEntry("test.flag", true),
            GGUFMetadataEntry("test.texts", texts: [Array("a".utf8), [], Array("ö".utf8)]),
            GGUFMetadataEntry("test.integers", integers: [-1, 2]),
            GGUFMetadataEntry("test.numbers", numbers: [1.5, -2]),
        ]
        var tensors: [ConvertedTensor]

        init(seed: UInt64, scale: Float = 1) throws {
            folder = try TemporaryFolder()
            var generator = SeededGenerator(seed: seed)
            func numbers(_ count: Int) -> [Float] {
                (0..<count).map { _ in
                    // A sum of uniform numbers is nearly normal, as weights are.
                    (0..<6).reduce(0) { sum, _ in sum + Float(generator.uniform()) - 0.5 } * scale
                }
            }
            func part(_ rows: Int, _ columns: Int) -> RowSource {
                let matrix = QuantizedMatrix(
                    Matrix(rows: rows, columns: columns, values: numbers(rows * columns)))
                return RowSource(rows: rows, columns: columns, format: .f32) { matrix }
            }
            tensors = [
                ConvertedTensor(
                    name: "blk.0.attn_q.weight", dimensions: [9, 512], parts: [part(9, 512)]),
                ConvertedTensor(name: "blk.0.attn_norm.weight", vector: numbers(5)),
                ConvertedTensor(
                    name: "blk.0.ffn_up_exps.weight", dimensions: [3, 4, 256],
                    parts: [part(4, 256), part(4, 256), part(4, 256)]),
            ]
        }

        var output: String { folder.path + "/out.gguf" }

        func writer(_ type: BlockFormat, threads: Int = 2) throws -> GGUFWriter {
            GGUFWriter(
                path: output, source: "source", metadata: metadata,
                tensors: try TensorFormats(type: type).plan(tensors, of: "source"),
                threads: threads)
        }

        func write(_ type: BlockFormat, threads: Int = 2) throws -> [UInt8] {
            let report = try writer(type, threads: threads).write(replacing: true) { _ in true }
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: output)))
            #expect(report?.byteCount == bytes.count)
            return bytes
        }
    }

    static let writable = BlockFormat.allCases.filter(\.isWritable)

    @Test func metadataAndNamesAreReadBack() throws {
        let example = try Example(seed: 1)
        _ = try example.write(.f32)
        let file = try GGUFFile(path: example.output)
        #expect(file.keys == example.metadata.map(\.key))
        #expect(file.metadata["test.size"] == .integer(7))
        #expect(file.metadata["test.scale"] == .float(0.25))
        #expect(file.metadata["test.flag"] == .boolean(true))
        #expect(file.metadata["test.texts"] == .strings(["a", "", "ö"]))
        #expect(file.metadata["test.integers"] == .integers([-1, 2]))
        #expect(file.metadata["test.numbers"] == .floats([1.5, -2]))
        #expect(try GGUFMetadataEntry.read(path: example.output) == example.metadata)
        #expect(file.archive.entries.map(\.name) == example.tensors.map(\.name))
        #expect(file.archive.entries.map(\.dimensions) == example.tensors.map(\.dimensions))
    }

    /// Every row is what the block format makes of it, and near what it was.
    @Test(arguments: writable)
    func tensorsAreReadBack(_ type: BlockFormat) throws {
        let bounds: [BlockFormat: Float] = [
            .f32: 0, .f16: 3e-4, .bf16: 2.5e-3, .q8_0: 6e-3, .q6_K: 2e-2, .q5_K: 4e-2, .q5_1: 4e-2,
            .q5_0: 5e-2, .q4_K: 8e-2, .q4_1: 8e-2, .q4_0: 0.1, .q3_K: 0.18, .q2_K: 0.35,
        ]
        let example = try Example(seed: 2)
        _ = try example.write(type)
        let file = try GGUFFile(path: example.output)
        for tensor in example.tensors {
            let entry = try #require(file.archive[tensor.name])
            #expect(entry.format == (tensor.dimensions.count == 1 ? .f32 : type))
            let rows = entry.elementCount / tensor.columns
            let stored = QuantizedMatrix(
                rows: rows, columns: tensor.columns, format: entry.format, bytes: entry.bytes)
            let source = tensor.parts.flatMap { part in
                (0..<part.rows).map { part.make().dequantizedRow($0) }
            }
            #expect(source.count == rows)
            var (error, energy): (Float, Float) = (0, 0)
            for (index, right) in source.enumerated() {
                let direct = Self.stored(right, as: entry.format)
                #expect(
                    entry.bytes.copyBytes(
                        index * stored.bytesPerRow..<(index + 1) * stored.bytesPerRow) == direct)
                for (left, right) in zip(stored.dequantizedRow(index), right) {
                    error += (left - right) * (left - right)
                    energy += right * right
                }
            }
            let bound = try #require(bounds[type])
            #expect(
                (error / energy).squareRoot() <= bound,
                "seed 2, \(type.name): relative error \((error / energy).squareRoot())")
        }
    }

    private static func stored(_ row: [Float], as format: BlockFormat) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: format.byteCount(elements: row.count))
        row.withUnsafeBufferPointer { row in
            bytes.withUnsafeMutableBytes { format.quantize(row, into: $0) }
        }
        return bytes
    }

    /// Cut anywhere, even inside the header or a row, a file is finished to the same bytes.
    @Test(arguments: [UInt64](1...8))
    func cutFilesAreFinished(_ seed: UInt64) throws {
        let example = try Example(seed: 3)
        let whole = try example.write(.q4_K)
        let writer = try example.writer(.q4_K)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let cut = Int.random(in: 0...whole.count, using: &generator)
            try Data(whole.prefix(cut)).write(to: URL(filePath: writer.partialPath))
            let report = try #require(
                try writer.write(replacing: true) { _ in true }, "seed \(seed), cut \(cut)")
            #expect(report.bytesFound <= cut)
            // No more than the header or one row is done again.
            #expect(cut < 1024 || report.bytesFound > cut - 1100, "seed \(seed), cut \(cut)")
            let bytes = try [UInt8](Data(contentsOf: URL(filePath: example.output)))
            #expect(bytes == whole, "seed \(seed), cut \(cut)")
        }
    }

    /// Ended by its caller after each chunk, a file is finished all the same.
    @Test func endedWritingGoesOn() throws {
        let example = try Example(seed: 4)
        let whole = try example.write(.q6_K)
        try FileManager.default.removeItem(atPath: example.output)
        let writer = try example.writer(.q6_K)
        var attempts = 1
        while try writer.write(replacing: false, progress: { _ in false }) == nil, attempts < 99 {
            attempts += 1
        }
        #expect(attempts == 6)
        #expect(try [UInt8](Data(contentsOf: URL(filePath: example.output))) == whole)
        #expect(!FileManager.default.fileExists(atPath: writer.partialPath))
    }

    @Test func threadsChangeNothing() throws {
        let example = try Example(seed: 5)
        #expect(try example.write(.q3_K, threads: 1) == example.write(.q3_K, threads: 7))
    }

    @Test func copiesAreExact() throws {
        let example = try Example(seed: 6)
        for type in Self.writable {
            let first = try example.write(type)
            var again = try Example(seed: 6)
            again.tensors = try GGUFFile(path: example.output).archive.entries.map {
                ConvertedTensor($0)
            }
            #expect(try again.write(type) == first, "\(type.name)")
        }
    }

    @Test func partialFilesOfSomethingElseAreRefused() throws {
        let example = try Example(seed: 7)
        let other = try Example(seed: 8)
        let foreign = try other.write(.q8_0)
        let writer = try example.writer(.q8_0)
        for bytes in [foreign, Array(foreign.prefix(5000)), Array("no GGUF at all".utf8)] {
            try Data(bytes).write(to: URL(filePath: writer.partialPath))
            #expect {
                try writer.write(replacing: false) { _ in true }
            } throws: { Self.says($0, "another model") }
        }
        let report = try #require(try writer.write(replacing: true) { _ in true })
        #expect(report.bytesFound == 0)
        #expect {
            try writer.write(replacing: false) { _ in true }
        } throws: { Self.says($0, "already there") }
    }

    @Test(arguments: [Float.infinity, .nan, 1e5])
    func numbersThatDoNotFitAreRefused(_ value: Float) throws {
        var example = try Example(seed: 9)
        var numbers = [Float](repeating: 0, count: 512)
        numbers[300] = value
        let matrix = QuantizedMatrix(Matrix(rows: 2, columns: 256, values: numbers))
        example.tensors.append(
            ConvertedTensor(
                name: "output.weight", dimensions: [2, 256],
                parts: [RowSource(rows: 2, columns: 256, format: .f32) { matrix }]))
        for type in [BlockFormat.q8_0, .q4_K, .f16] {
            let writer = try example.writer(type)
            #expect {
                try writer.write(replacing: false) { _ in true }
            } throws: { Self.says($0, "output.weight") }
            #expect(!FileManager.default.fileExists(atPath: writer.partialPath))
        }
        let writer = try example.writer(.bf16)
        if value.isFinite {
            let report = try writer.write(replacing: false) { _ in true }
            #expect((report?.rounded ?? 0) > 0)
        } else {
            #expect {
                try writer.write(replacing: false) { _ in true }
            } throws: { Self.says($0, "damaged") }
        }
    }

    @Test func missingFoldersAreNamed() throws {
        let example = try Example(seed: 10)
        let writer = GGUFWriter(
            path: "/nonexistent/out.gguf", source: "", metadata: [],
            tensors: try TensorFormats(type: .f32).plan(example.tensors, of: ""), threads: 1)
        #expect {
            try writer.write(replacing: false) { _ in true }
        } throws: { Self.says($0, "/nonexistent/out.gguf.partial: cannot be created") }
    }

    /// Whether an error is one line that contains `text`.
    private static func says(_ error: any Error, _ text: String) -> Bool {
        "\(error)".contains(text) && !"\(error)".contains("\n")
    }
}
