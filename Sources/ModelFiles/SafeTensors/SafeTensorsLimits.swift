/// What a safetensors file may ask for.
package enum SafeTensorsLimits {
    /// The format's own limit.
    package static let headerBytes = 100_000_000
    /// Eight times the tensors of the largest published model with one tensor an expert.
    package static let tensorCount = 1 << 19
    /// Published tensors have up to 4 dimensions (gpt-oss's blocks).
    package static let dimensionCount = 8
    /// 2^40 elements are a terabyte in the smallest type.
    package static let elementCount = 1 << 40
    /// Published models have up to 200 shards.
    package static let shardCount = 9_999
}
