import OrderedJSON

/// A Hugging Face folder: config.json, one or more safetensors files, and files beside them.
struct CheckpointFolder {
    /// The folder's path as the user gave it, or the folder of the file they gave.
    let path: String

    /// The folder at `path`.
    init(path: String) {
        self.path = path
    }

    /// The folder that a file is in.
    init(holding file: String) {
        let slash = file.lastIndex(of: "/")
        path = slash.map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
    }

    /// The path of a file in the folder.
    func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : path + "/" + name }

    /// The tensors of all shards.
    ///
    /// - Parameter file: the one file to read; nil takes the shards of
    ///   model.safetensors.index.json, or model.safetensors where there is no index.
    /// - Throws: `ModelFileError`: one line with file, field and limit.
    func archive(of file: String?) throws(ModelFileError) -> TensorArchive {
        let index = self.file("model.safetensors.index.json")
        if let json = try JSONValue.ifPresent(path: index) {
            let map = try weightMap(json, file: index)
            if file.map({ given in map.values.contains { given.hasSuffix($0) } }) ?? true {
                return try archive(of: map, index: index)
            }
        }
        let path = file ?? self.file("model.safetensors")
        guard FileBytes.exists(path) else {
            throw ModelFileError(
                .missing, file: self.path,
                "holds neither model.safetensors nor model.safetensors.index.json")
        }
        let only = try SafeTensorsFile(path: path)
        return try TensorArchive(file: path, entries: only.entries, others: only.others)
    }

    private func archive(
        of map: [String: String], index: String
    ) throws(ModelFileError) -> TensorArchive {
        var entries: [TensorEntry] = []
        var others: [OpaqueTensor] = []
        for shard in Set(map.values).sorted() {
            let part = try SafeTensorsFile(path: file(shard))
            entries += part.entries
            others += part.others
            let held = Set(part.entries.map(\.name)).union(part.others.map(\.name))
            if let lost = map.first(where: { $0.value == shard && !held.contains($0.key) }) {
                throw ModelFileError(
                    .missing, file: file(shard),
                    "tensor \(lost.key) is not in the file, though \(index) says so")
            }
        }
        return try TensorArchive(file: path, entries: entries, others: others)
    }

    /// The shard of every tensor.
    private func weightMap(
        _ json: JSONValue, file: String
    ) throws(ModelFileError) -> [String: String] {
        guard case .object(let members)? = json["weight_map"], !members.isEmpty else {
            throw ModelFileError(
                .malformed, file: file, "weight_map is missing, empty or not an object")
        }
        var map: [String: String] = [:]
        for member in members {
            let (name, value) = (member.key.text, member.value)
            // A shard lies in this folder: an index must not lead anywhere else.
            guard let shard = value.text, !shard.contains("/"), !shard.isEmpty, shard != ".."
            else {
                throw ModelFileError(
                    .malformed, file: file,
                    "weight_map \(name): \(value.summary) is not the name of a file in this folder")
            }
            map[name] = shard
        }
        let count = Set(map.values).count
        guard count <= SafeTensorsLimits.shardCount else {
            throw ModelFileError(
                .overLimit, file: file,
                "weight_map names \(count) files, the limit is \(SafeTensorsLimits.shardCount)")
        }
        return map
    }
}
