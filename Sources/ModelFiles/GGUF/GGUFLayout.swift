import Tensors

/// Where everything lies in a GGUF file (version 3) that is to be written.
struct GGUFLayout {
    /// Magic, counts, metadata and tensor directory, padded to the first tensor.
    let header: [UInt8]
    /// From the start of the file, in the order of the tensors.
    let offsets: [Int]
    /// The whole file, the last tensor's padding included.
    let byteCount: Int

    /// The format's default; the metadata must not say otherwise.
    static let alignment = 32

    init(metadata: [GGUFMetadataEntry], tensors: [PlannedTensor]) {
        var directory: [UInt8] = []
        var relative: [Int] = []
        var end = 0
        for tensor in tensors {
            relative.append(end)
            directory += GGUFBytes.text(Array(tensor.name.utf8))
            directory += GGUFBytes.little(UInt32(tensor.dimensions.count))
            for size in tensor.dimensions.reversed() {
                directory += GGUFBytes.little(UInt64(size))
            }
            directory += GGUFBytes.little(tensor.format.ggmlType)
            directory += GGUFBytes.little(UInt64(end))
            end = Self.padded(end + tensor.byteCount)
        }
        var header = Array("GGUF".utf8) + GGUFBytes.little(UInt32(3))
        header += GGUFBytes.little(UInt64(tensors.count))
        header += GGUFBytes.little(UInt64(metadata.count))
        for entry in metadata { header += GGUFBytes.text(Array(entry.key.utf8)) + entry.encoded }
        header += directory
        let start = Self.padded(header.count)
        header += [UInt8](repeating: 0, count: start - header.count)
        self.header = header
        offsets = relative.map { start + $0 }
        byteCount = start + end
    }

    static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
}
