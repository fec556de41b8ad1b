import MoEModel
import Tensors
import Wire

extension ExpertWeights {
    /// The expert that a manifest describes, its matrices being views into the blob.
    ///
    /// - Throws: `refused` if a format is unknown, a tensor is missing, or shapes do not fit each
    ///   other, the model or the bytes.
    init(_ manifest: ExpertManifest, blob: WeightBytes, model: ModelFacts) throws(WorkerError) {
        func matrix(_ name: String) throws(WorkerError) -> QuantizedMatrix {
            guard let tensor = manifest.tensors.first(where: { $0.name == name }) else {
                throw WorkerError(.refused, "\(manifest.id): it has no tensor \"\(name)\"")
            }
            return try QuantizedMatrix(tensor, of: manifest, blob: blob)
        }
        let (gate, up, down) = (try matrix("gate"), try matrix("up"), try matrix("down"))
        guard gate.columns == model.hiddenSize, up.columns == model.hiddenSize,
            down.rows == model.hiddenSize, gate.rows == up.rows, down.columns == gate.rows
        else {
            throw WorkerError(
                .refused,
                "\(manifest.id): gate, up and down do not fit each other and a hidden size of "
                    + "\(model.hiddenSize)")
        }
        self.init(gate: gate, up: up, down: down)
    }
}

extension QuantizedMatrix {
    /// - Throws: `refused` if the format is unknown or the sizes disagree.
    fileprivate init(
        _ tensor: TensorManifest, of manifest: ExpertManifest, blob: WeightBytes
    ) throws(WorkerError) {
        guard let format = BlockFormat.allCases.first(where: { $0.name == tensor.format }) else {
            throw WorkerError(
                .refused, "\(manifest.id): format \"\(tensor.format)\" is unknown here")
        }
        guard tensor.columns % format.elementsPerBlock == 0,
            tensor.byteCount == format.byteCount(elements: tensor.rows * tensor.columns),
            tensor.byteOffset + tensor.byteCount <= blob.count
        else {
            throw WorkerError(
                .refused,
                "\(manifest.id): tensor \"\(tensor.name)\" is \(tensor.byteCount) bytes, which "
                    + "is not \(tensor.rows) × \(tensor.columns) in \(format.name)")
        }
        self.init(
            rows: tensor.rows, columns: tensor.columns, format: format,
            bytes: blob.slice(tensor.byteOffset..<tensor.byteOffset + tensor.byteCount))
    }
}
