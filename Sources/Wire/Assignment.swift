package import SystemModel

/// What a device must know of a model to compute its experts.
package struct ModelFacts: Codable, Equatable, Sendable {
    /// Columns of an activation.
    package let hiddenSize: Int
    /// Layers, those without experts included.
    package let layerCount: Int
    /// Routed experts per layer.
    package let expertCount: Int
    /// The activation function inside an expert, by the name that the model family gives it.
    package let activationFunction: String

    /// States the facts.
    package init(
        hiddenSize: Int, layerCount: Int, expertCount: Int, activationFunction: String
    ) {
        self.hiddenSize = hiddenSize
        self.layerCount = layerCount
        self.expertCount = expertCount
        self.activationFunction = activationFunction
    }

    /// Checks the sizes and the name against `Limits`.
    package func validate() throws(WireError) {
        try Requirements.range(hiddenSize, 1...Limits.hiddenSize, "model: hiddenSize")
        try Requirements.range(layerCount, 1...Limits.layers, "model: layerCount")
        try Requirements.range(expertCount, 1...Limits.expertsPerLayer, "model: expertCount")
        try Requirements.name(activationFunction, "model: activationFunction")
    }
}

/// One tensor of an expert: its shape, and where it lies in the expert's blob.
package struct TensorManifest: Codable, Equatable, Sendable {
    /// What it is within the expert ("gate", "up", "down", "gate.bias", …).
    package let name: String
    /// Its element or block format, by name ("f32", "q8_0", …).
    package let format: String
    /// Outputs; 1 for a vector.
    package let rows: Int
    /// Inputs.
    package let columns: Int
    /// Where it begins in the blob, in bytes.
    package let byteOffset: Int
    /// How long it is, in bytes.
    package let byteCount: Int

    /// Describes a tensor.
    package init(
        name: String, format: String, rows: Int, columns: Int, byteOffset: Int, byteCount: Int
    ) {
        self.name = name
        self.format = format
        self.rows = rows
        self.columns = columns
        self.byteOffset = byteOffset
        self.byteCount = byteCount
    }

    func validate(blobBytes: Int) throws(WireError) {
        try Requirements.name(name, "tensor: name")
        try Requirements.name(format, "tensor: format")
        try Requirements.range(rows, 1...Limits.tensorDimension, "tensor: rows")
        try Requirements.range(columns, 1...Limits.tensorDimension, "tensor: columns")
        try Requirements.range(byteOffset, 0...blobBytes, "tensor: byteOffset")
        try Requirements.range(byteCount, 1...blobBytes, "tensor: byteCount")
        try Requirements.range(byteOffset + byteCount, 1...blobBytes, "tensor: end in the blob")
    }
}

/// One expert as it is shipped: a blob of bytes, named by its hash, that holds its tensors.
package struct ExpertManifest: Codable, Equatable, Sendable {
    /// The layer, from 0.
    package let layer: Int
    /// The expert within the layer, from 0.
    package let expert: Int
    /// The SHA-256 of the blob.
    package let sha256: BlobDigest
    /// The blob's length.
    package let byteCount: Int
    /// What it holds.
    package let tensors: [TensorManifest]

    /// Describes an expert's blob.
    package init(
        id: ExpertID, sha256: BlobDigest, byteCount: Int, tensors: [TensorManifest]
    ) {
        layer = id.layer
        expert = id.expert
        self.sha256 = sha256
        self.byteCount = byteCount
        self.tensors = tensors
    }

    /// Which expert.
    package var id: ExpertID { ExpertID(layer: layer, expert: expert) }

    func validate(in model: ModelFacts) throws(WireError) {
        try id.validate(in: model)
        try Requirements.range(byteCount, 1...Limits.expertBytes, "expert: byteCount")
        try Requirements.range(tensors.count, 1...Limits.tensorsPerExpert, "expert: tensor count")
        for tensor in tensors {
            try tensor.validate(blobBytes: byteCount)
        }
        guard Set(tensors.map(\.name)).count == tensors.count else {
            throw WireError(.invalid, "\(id): two of its tensors have the same name")
        }
    }
}

/// Base → device: the experts to hold from now on. It replaces the assignment before it; a
/// device keeps what it has of both, fetches what is new, and frees the rest. Where it names the
/// same experts, only what is kept on disk changes.
package struct Assignment: JSONMessage, Equatable {
    /// `Frame.Kind.assignment`.
    package static let kind = Frame.Kind.assignment

    /// The model whose experts they are.
    package let model: ModelFacts
    /// The experts; each at most once.
    package let experts: [ExpertManifest]
    /// Other experts to have on disk, for the day on which they are assigned; those that matter
    /// most first. They are fetched when all of `experts` are there, as far as the device's disk
    /// reaches.
    package let kept: [ExpertManifest]

    /// Assigns experts.
    package init(model: ModelFacts, experts: [ExpertManifest], kept: [ExpertManifest] = []) {
        self.model = model
        self.experts = experts
        self.kept = kept
    }

    /// Checks every manifest against the model's facts and `Limits`.
    package func validate() throws(WireError) {
        try model.validate()
        let all = experts + kept
        try Requirements.range(
            all.count, 0...Limits.expertsPerAssignment, "assignment: expert count")
        for expert in all {
            try expert.validate(in: model)
        }
        guard Set(all.map(\.id)).count == all.count else {
            throw WireError(.invalid, "assignment: an expert is named twice")
        }
    }
}

extension ExpertID {
    func validate(in model: ModelFacts) throws(WireError) {
        try Requirements.range(layer, 0...(model.layerCount - 1), "expert: layer")
        try Requirements.range(expert, 0...(model.expertCount - 1), "expert: number")
    }
}
