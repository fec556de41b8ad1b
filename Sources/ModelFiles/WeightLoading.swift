import Tensors

/// How a model's weights come into memory.
package enum WeightLoading: String, Sendable, CaseIterable {
    /// In place: pages come in from the file as they are touched, and processes share them.
    case mapped
    /// Copied once, into huge pages of this process, and packed as kernels read them fastest. Takes
    /// as much memory as the file is large, for the whole run.
    case hugePages = "huge-pages"
}

extension TensorArchive {
    /// This archive, whose matrices are from now on loaded as `loading` says.
    func loading(_ loading: WeightLoading) -> TensorArchive {
        var archive = self
        archive.pages = loading == .hugePages ? HugePages() : nil
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
