package import Tensors

extension WeightBytes {
    /// All bytes of a mapped file; the view keeps the mapping alive.
    package init(mapping owner: MappingOwner) {
        let bytes = owner.file.bytes
        guard let start = bytes.baseAddress else {
            preconditionFailure("MappedFile refuses empty files")
        }
        self.init(owner: owner, start: start, count: bytes.count, isMapped: true)
    }
}
