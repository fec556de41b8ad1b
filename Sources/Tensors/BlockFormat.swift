/// How the numbers of a row are stored: one case per GGML tensor type that martlet reads.
///
/// A row is a sequence of blocks; the layouts are those of ggml-common.h, one file per format
/// under Quantization/.
package enum BlockFormat: String, Sendable, CaseIterable, Codable {
    case f32, f16, bf16
    case q8_0, q4_0, q4_1, q5_0, q5_1
    case q2_K, q3_K, q4_K, q5_K, q6_K
    case iq4_NL, iq4_XS, mxfp4

    /// The format of GGML's type number `ggmlType`, or nil where martlet does not read it.
    package init?(ggmlType: UInt32) {
        guard let format = Self.allCases.first(where: { $0.ggmlType == ggmlType }) else {
            return nil
        }
        self = format
    }

    /// GGML's number of this type (`enum ggml_type`), as it stands in GGUF files.
    package var ggmlType: UInt32 { layout.ggmlType }

    /// GGML's name of this type, such as `Q4_K`.
    package var name: String {
        switch self {
        case .q2_K, .q3_K, .q4_K, .q5_K, .q6_K: "Q" + rawValue.dropFirst()
        default: rawValue.uppercased()
        }
    }

    /// How many consecutive elements of a row one block holds.
    package var elementsPerBlock: Int { layout.elements }

    /// The size of one block in bytes.
    package var bytesPerBlock: Int { layout.bytes }

    /// The size in bytes of `elements` numbers, which must be whole blocks.
    package func byteCount(elements: Int) -> Int {
        precondition(
            elements >= 0 && elements % elementsPerBlock == 0, "A row is a number of whole blocks.")
        return elements / elementsPerBlock * bytesPerBlock
    }

    private var layout: (ggmlType: UInt32, elements: Int, bytes: Int) {
        switch self {
        case .f32: (0, 1, 4)
        case .f16: (1, 1, 2)
        case .q4_0: (2, 32, 18)
        case .q4_1: (3, 32, 20)
        case .q5_0: (6, 32, 22)
        case .q5_1: (7, 32, 24)
        case .q8_0: (8, 32, 34)
        case .q2_K: (10, 256, 84)
        case .q3_K: (11, 256, 110)
        case .q4_K: (12, 256, 144)
        case .q5_K: (13, 256, 176)
        case .q6_K: (14, 256, 210)
        case .iq4_NL: (20, 32, 18)
        case .iq4_XS: (23, 256, 136)
        case .bf16: (30, 1, 2)
        case .mxfp4: (39, 32, 17)
        }
    }
}
