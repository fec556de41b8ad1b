import Tensors

/// How a model's weights come into memory.
package enum WeightLoading: String, Sendable, CaseIterable {
    /// In place: pages come in from the file as they are touched, and processes share them.
    case mapped
    /// Routed experts in place, all else copied and packed: what a base station with little memory
    /// reads for every token then never leaves it, however many experts pass by.
    case dense
    /// All copied once, into huge pages of this process, and packed as kernels read them fastest.
    /// Takes as much memory as the file is large, for the whole run.
    case hugePages = "huge-pages"
}

extension TensorArchive {
    /// This archive, whose matrices are from now on loaded as `loading` says.
    func loading(_ loading: WeightLoading) -> TensorArchive {
        var archive = self
        archive.pages = loading == .mapped ? nil : HugePages()
        archive.copiesExperts = loading == .hugePages
        return archive
    }

    /// The same tensors, for reading routed experts.
    package var ofExperts: TensorArchive {
        guard !copiesExperts else { return self }
        var archive = self
        archive.pages = nil
        return archive
    }

    /// `matrix` as it is to be computed with.
    ///
    /// - Throws: `cannotOpen` if there is no memory for a copy.
    func loaded(_ matrix: QuantizedMatrix) throws(ModelFileError) -> QuantizedMatrix {
        guard let pages else { return matrix }
        do {
            let copy = try matrix.copied(into: pages)
            matrix.bytes.release()
            return copy
        } catch {
            throw ModelFileError(
                .cannotOpen, file: file,
                "no memory for \(error.bytes) more bytes of weights; --load mapped needs none")
        }
    }
}
