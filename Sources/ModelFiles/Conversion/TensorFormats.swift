package import Tensors

/// Which format each tensor of a converted model gets.
package struct TensorFormats: Sendable {
    /// Of all matrices that nothing else is said of.
    package var type: BlockFormat
    /// Of the routed experts.
    package var experts: BlockFormat?
    /// Of attention's projections.
    package var attention: BlockFormat?
    /// Of the token embedding and the head.
    package var embeddings: BlockFormat?

    package init(
        type: BlockFormat, experts: BlockFormat? = nil, attention: BlockFormat? = nil,
        embeddings: BlockFormat? = nil
    ) {
        self.type = type
        self.experts = experts
        self.attention = attention
        self.embeddings = embeddings
    }

    /// llama.cpp's number of the mixture (`enum llama_ftype`, `general.file_type`): that of `type`.
    package var fileType: Int {
        switch type {
        case .f32: 0
        case .f16: 1
        case .bf16: 32
        case .q4_0: 2
        case .q4_1: 3
        case .q8_0: 7
        case .q5_0: 8
        case .q5_1: 9
        case .q2_K: 10
        case .q3_K: 11
        case .q4_K: 14
        case .q5_K: 16
        case .q6_K: 18
        case .iq4_NL: 25
        case .iq4_XS: 30
        case .mxfp4: 38
        }
    }

    /// The formats of all tensors, in order.
    ///
    /// Norms, biases, routers, sinks and everything of one dimension stay fp32: they are small and
    /// the model is sensitive to them. Without another wish the matrix that makes logits gets at
    /// least Q6_K, as in llama.cpp's own mixtures.
    ///
    /// - Parameter file: the source, for error messages.
    /// - Throws: `unsupported` for a format that can only be copied where there is none to copy.
    package func plan(
        _ tensors: [ConvertedTensor], of file: String
    ) throws(ModelFileError) -> [PlannedTensor] {
        let isTied = !tensors.contains { $0.name == TensorRole.headName }
        var planned: [PlannedTensor] = []
        for tensor in tensors {
            let format = Self.fitting(wish(tensor, isTied: isTied), columns: tensor.columns)
            guard format.isWritable || tensor.sourceFormat == format else {
                throw ModelFileError(
                    .unsupported, file: file,
                    "tensor \(tensor.name) would become \(format.name), which can be copied but "
                        + "not written; it is \(tensor.sourceFormat?.name ?? "mixed")")
            }
            planned.append(PlannedTensor(tensor, format: format))
        }
        return planned
    }

    /// A sentence for each format that some tensors could not have, because their rows are not
    /// whole blocks of it.
    package static func replacements(
        in planned: [PlannedTensor], _ formats: TensorFormats
    ) -> [String] {
        let isTied = !planned.contains { $0.name == TensorRole.headName }
        let changed = planned.compactMap { planned -> (String, Int)? in
            let wish = formats.wish(planned.tensor, isTied: isTied)
            guard wish != planned.format else { return nil }
            return ("\(planned.format.name) instead of \(wish.name)", planned.tensor.columns)
        }
        return Dictionary(grouping: changed, by: \.0).map { names, all in
            let widths = Set(all.map(\.1)).sorted().map(String.init).joined(separator: ", ")
            return "\(all.count) tensors get \(names): their rows of \(widths) are not whole blocks"
        }.sorted()
    }

    /// The format that the tensor would have if any row fitted.
    package func wish(_ tensor: ConvertedTensor, isTied: Bool) -> BlockFormat {
        switch TensorRole(tensor) {
        case .small: .f32
        case .expert: experts ?? type
        case .attention: attention ?? type
        case .embedding: embeddings ?? (isTied ? Self.atLeastQ6(type) : type)
        case .head: embeddings ?? Self.atLeastQ6(type)
        case .other: type
        }
    }

    /// `format`, or the next better one whose blocks fill a row of `columns`: what llama.cpp falls
    /// back to, but Q4_0 for its IQ4_NL.
    package static func fitting(_ format: BlockFormat, columns: Int) -> BlockFormat {
        guard columns % format.elementsPerBlock != 0 else { return format }
        switch format {
        case .q2_K, .q3_K, .iq4_XS: return fitting(.q4_0, columns: columns)
        case .q4_K: return fitting(.q5_0, columns: columns)
        case .q5_K: return fitting(.q5_1, columns: columns)
        case .q6_K: return fitting(.q8_0, columns: columns)
        default: return .f16
        }
    }

    private static func atLeastQ6(_ format: BlockFormat) -> BlockFormat {
        let bits = format.bytesPerBlock * 8 * 256 / format.elementsPerBlock
        return bits < BlockFormat.q6_K.bytesPerBlock * 8 ? .q6_K : format
    }
}

/// What a tensor is for, as its name in GGUF says.
enum TensorRole {
    case small, expert, attention, embedding, head, other

    /// The name of the head, absent where the embedding is the head.
    static let headName = "output.weight"

    init(_ tensor: ConvertedTensor) {
        let name = tensor.name
        let small = ["_norm.", "ffn_gate_inp", "attn_sinks", "rope_freqs"]
        if tensor.dimensions.count < 2 || !name.hasSuffix(".weight")
            || small.contains(where: { name.contains($0) })
        {
            self = .small
        } else if name == "token_embd.weight" {
            self = .embedding
        } else if name == Self.headName {
            self = .head
        } else if name.contains("_exps.") || Self.isSingleExpert(name) {
            self = .expert
        } else {
            self = name.contains(".attn_") ? .attention : .other
        }
    }

    /// Mixtral's first files have one tensor per expert: `blk.0.ffn_gate.7.weight`.
    private static func isSingleExpert(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        return parts.count == 5 && parts[2].hasPrefix("ffn_") && Int(parts[3]) != nil
    }
}
