import ArgumentParser
import Foundation
import Tensors

struct Logits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the logits of every position of a sequence.",
        discussion: """
            The file is little-endian float32, [ids × vocabulary], row by row.

              echo '[1, 2, 3]' > ids.json
              martlet logits --model M.gguf --ids ids.json --output logits.f32
            """)

    @OptionGroup var model: ModelOption
    @OptionGroup var devices: DeviceOptions

    @Option(help: "A JSON file with an array of ids; taken as they are.")
    var ids: String

    @Option(help: "The file to write.")
    var output: String

    func run() async throws {
        let opened = try model.open()
        let ids = try readIDs()
        try opened.check(ids)
        let logits = try await Engine.run(opened, devices) { try await $0.logits(ids) }
        var bytes = Data(capacity: logits.values.count * 4)
        for value in logits.values {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        do {
            try bytes.write(to: URL(filePath: output))
        } catch {
            throw CommandError("\(output): cannot be written: \(CommandError.reason(error))")
        }
    }

    private func readIDs() throws -> [Int] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: ids))
        } catch {
            throw CommandError("\(ids): cannot be read: \(CommandError.reason(error))")
        }
        guard let ids = try? JSONDecoder().decode([Int].self, from: data) else {
            throw CommandError("\(self.ids): is not a JSON array of whole numbers")
        }
        return ids
    }
}
