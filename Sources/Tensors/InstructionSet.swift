/// The vector instructions that the kernels use. Every set computes the same bits.
package enum InstructionSet: String, Codable, Sendable, CaseIterable {
    /// Plain C, vectorised by the compiler for the oldest processor it targets.
    case portable
    /// x86 with AVX2, FMA and F16C (Haswell 2013, Zen 2017 and later).
    case avx2
    /// The same with VNNI in its AVX form (Alder Lake 2021, Zen 5 and later).
    case avx2VNNI
    /// x86 with AVX-512 F, BW, DQ, VL and VNNI (Cascade Lake 2019, Zen 4 2022 and later).
    case avx512VNNI
    /// 64-bit Arm with dot products (Cortex-A76 2018, Apple A13 2019, Raspberry Pi 5 and later).
    case neonDot

    /// The sets that this machine has, slowest first.
    package static let available: [InstructionSet] = allCases.filter { Kernels($0) != nil }

    /// The fastest set that this machine has.
    package static let detected: InstructionSet = available.last ?? .portable
}
