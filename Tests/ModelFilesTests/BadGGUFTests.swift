import Tensors
import TestSupport
import Testing

@testable import ModelFiles

/// Each way in which a GGUF file can be wrong gives one line with file, field and limit.
struct BadGGUFTests {
    /// What is wrong, and what the message must say.
    static let cases: [(GGUFBuilder, [String])] = {
        typealias Builder = GGUFBuilder
        let huge = Builder.little(UInt64.max)
        var cases: [(Builder, [String])] = [
            (Builder(magic: 0x4747_4D4C), ["GGUF"]),
            (Builder(version: 1), ["version 1", "2 and 3"]),
            (Builder(version: 3 << 24), ["version", "big-endian"]),
            (Builder(tensorCount: 1 << 40), ["tensor count", "\(GGUFLimits.tensorCount)"]),
            (Builder(metadataCount: .max), ["metadata count", "\(GGUFLimits.metadataCount)"]),
            (
                Builder(tensorCount: 5, dataBytes: 0),
                ["tensor 0", "needs 8 bytes", "the file ends"]
            ),
        ]
        cases += [
            ([("k", Builder.little(UInt32(8)) + huge)], ["metadata k", "string length"]),
            (
                [("k", Builder.little(UInt32(9)) + Builder.little(UInt32(4)) + huge)],
                ["metadata k", "array length", "\(GGUFLimits.arrayCount)"]
            ),
            (
                [
                    (
                        "k",
                        Builder.little(UInt32(9)) + Builder.little(UInt32(4))
                            + Builder.little(UInt64(1 << 22))
                    )
                ], ["metadata k", "needs 16777216 bytes"]
            ),
            ([("k", Builder.little(UInt32(77)))], ["metadata k", "value type 77"]),
            ([("k", Builder.number(1)), ("k", Builder.number(1))], ["metadata k", "twice"]),
            ([("general.alignment", Builder.number(24))], ["general.alignment", "power of two"]),
        ].map { (Builder(metadata: $0), $1) }
        cases += [
            ([.init(dimensions: [])], ["tensor t", "0 dimensions"]),
            ([.init(dimensions: [1, 1, 1, 1, 1])], ["tensor t", "5 dimensions", "4"]),
            ([.init(dimensions: [1 << 30, 1 << 30])], ["tensor t", "\(GGUFLimits.elementCount)"]),
            ([.init(dimensions: [.max])], ["tensor t", "dimension"]),
            ([.init(dimensions: [0, 4])], ["tensor t", "empty"]),
            ([.init(dimensions: [31, 2], type: 8)], ["tensor t", "Q8_0", "31"]),
            ([.init(type: 99)], ["tensor t", "type 99", "F32"]),
            ([.init(offset: 16)], ["tensor t", "multiple of the alignment 32"]),
            ([.init(offset: 1024)], ["tensor t", "1024", "256 bytes"]),
            ([.init(dimensions: [1024])], ["tensor t", "4096 bytes"]),
            ([.init(name: "a"), .init(name: "b")], ["tensor b overlaps tensor a"]),
            ([.init(), .init(offset: 32)], ["tensor t", "twice"]),
        ].map { (Builder(tensors: $0), $1) }
        return cases
    }()

    @Test(arguments: cases.indices)
    func isRefused(_ index: Int) throws {
        let (builder, words) = Self.cases[index]
        let folder = try TemporaryFolder()
        let path = try folder.write("bad.gguf", builder.bytes)
        let error = #expect(throws: ModelFileError.self) { try GGUFFile(path: path) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path + ": "), "\(text)")
        #expect(!text.contains("\n"))
        for word in words { #expect(text.contains(word), "\"\(word)\" in \(text)") }
    }

    @Test func aGoodOneOpens() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(
            "good.gguf",
            GGUFBuilder(metadata: [("k", GGUFBuilder.text("v"))], tensors: [.init()]).bytes)
        let file = try GGUFFile(path: path)
        #expect(try file.string("k") == "v")
        #expect(try file.archive.matrix("t", rows: 2, columns: 4).bytes.count == 32)
    }

    @Test func anAbsentFileIsRefused() {
        let error = #expect(throws: ModelFileError.self) { try GGUFFile(path: "no/such.gguf") }
        #expect(error?.code == .cannotOpen)
    }
}

/// Models in several files.
struct SplitGGUFTests {
    private func part(_ number: UInt32, of count: UInt32, tensor: String) -> [UInt8] {
        GGUFBuilder(
            metadata: [
                ("split.no", GGUFBuilder.little(UInt32(2)) + GGUFBuilder.little(UInt16(number))),
                ("split.count", GGUFBuilder.little(UInt32(2)) + GGUFBuilder.little(UInt16(count))),
                ("split.tensors.count", GGUFBuilder.number(2)),
            ],
            tensors: [.init(name: tensor)]
        ).bytes
    }

    @Test func partsAreOneModel() throws {
        let folder = try TemporaryFolder()
        let first = try folder.write("m-00001-of-00002.gguf", part(0, of: 2, tensor: "a"))
        _ = try folder.write("m-00002-of-00002.gguf", part(1, of: 2, tensor: "b"))
        let file = try GGUFFile(path: first)
        #expect(file.partCount == 2)
        #expect(file.archive.entries.map(\.name) == ["a", "b"])
    }

    @Test func badPartsAreRefused() throws {
        let folder = try TemporaryFolder()
        let first = try folder.write("m-00001-of-00002.gguf", part(0, of: 2, tensor: "a"))
        let second = folder.path + "/m-00002-of-00002.gguf"
        #expect(throws: ModelFileError.self, "the second part is missing") {
            try GGUFFile(path: first)
        }
        for (bytes, word) in [
            (part(0, of: 2, tensor: "b"), "split.no"), (part(1, of: 3, tensor: "b"), "split.no"),
            (part(1, of: 2, tensor: "a"), "twice"),
        ] {
            _ = try folder.write("m-00002-of-00002.gguf", bytes)
            let error = #expect(throws: ModelFileError.self) { try GGUFFile(path: first) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
        _ = try folder.write("m-00002-of-00002.gguf", part(1, of: 2, tensor: "b"))
        let error = #expect(throws: ModelFileError.self) { try GGUFFile(path: second) }
        #expect(error?.description.contains("give the first one") == true)
    }
}
