/// What a GGUF file may ask for. Generous against every published file, small against memory.
package enum GGUFLimits {
    /// Published files have tens of metadata entries.
    package static let metadataCount = 65_536
    /// Eight times the tensors of the largest published model with one tensor an expert.
    package static let tensorCount = 1 << 19
    /// A chat template or a license text; published ones stay below 100 KB.
    package static let stringBytes = 16 << 20
    /// Metadata keys and tensor names; the format itself says 65,535 and 64.
    package static let nameBytes = 1024
    /// Vocabularies reach 262,144 pieces and twice as many merges.
    package static let arrayCount = 1 << 22
    /// The format's own limit.
    package static let dimensionCount = 4
    /// 2^40 elements are a terabyte in the smallest block format.
    package static let elementCount = 1 << 40
    /// The format's default is 32; a page of 64 KiB is the largest in use.
    package static let alignment = 1 << 16
    /// Five digits name a part; published models have up to 200 parts.
    package static let splitCount = 9_999
}
