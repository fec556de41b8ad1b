/// The vector instructions that the kernels use. Every set computes the same bits.
package enum InstructionSet: String, Codable, Sendable, CaseIterable {
    case portable
    case avx2
    case avx512VNNI

    /// The fastest set that this machine has.
    package static let detected: InstructionSet = .portable
}
