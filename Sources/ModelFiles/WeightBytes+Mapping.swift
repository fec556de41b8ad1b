package import Tensors

extension WeightBytes {
    /// All bytes of a copied file; the view keeps the copy alive.
    init(copy owner: HugePageCopy) {
        guard let start = owner.bytes.baseAddress else {
            preconditionFailure("a copy lies at an address")
        }
        self.init(owner: owner, start: start, count: owner.bytes.count)
    }

    /// All bytes of a mapped file; the view keeps the mapping alive.
    package init(mapping owner: MappingOwner) {
        let bytes = owner.file.bytes
        guard let start = bytes.baseAddress else {
            preconditionFailure("MappedFile refuses empty files")
        }
        self.init(owner: owner, start: start, count: bytes.count)
    }
}
