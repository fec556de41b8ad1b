import MoEModel
import Tensors
import Wire

extension ExpertWeights {
    /// The expert that a manifest describes, its matrices being views into the blob.
    ///
    /// - Throws: `refused` if a format is unknown, a tensor is missing, or shapes do not fit each
    ///   other, the model or the bytes.
    init(_ manifest: ExpertManifest, blob: WeightBytes, model: ModelFacts) throws(WorkerError) {
        guard let activation = ExpertActivation(name: model.activationFunction) else {
            throw WorkerError(
                .refused,
                "the activation function \"\(model.activationFunction)\" is unknown here; install "
                    + "the same martlet on both")
        }
        var tensors: [(name: String, matrix: QuantizedMatrix)] = []
        for tensor in manifest.tensors {
            tensors.append(
                (tensor.name, try QuantizedMatrix(tensor, of: manifest, blob: blob)))
        }
        do {
            try self.init(namedTensors: tensors, activation: activation)
        } catch {
            throw WorkerError(.refused, "\(manifest.id): \(error)")
        }
        guard gate.columns == model.hiddenSize else {
            throw WorkerError(
                .refused,
                "\(manifest.id): takes \(gate.columns) numbers a row, the model's hidden size is "
                    + "\(model.hiddenSize)")
        }
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
