import ModelFiles
import Tensors

extension WeightReader {
    func latent(
        _ index: Int, _ attention: LatentConfiguration
    ) throws(ModelFileError) -> LatentAttention {
        let hidden = configuration.hidden
        let (keys, values) = try keysAndValues(index, attention)
        return LatentAttention(
            configuration: attention, window: configuration.layerKinds[index].window,
            query: try query(index, attention),
            compression: try projection(
                .compression, index, rows: attention.rank + attention.rotarySize, columns: hidden),
            compressionNorm: try vector(.compressionNorm, index, count: attention.rank),
            keys: keys, values: values,
            outputProjection: try projection(
                .attentionOutput, index, rows: hidden,
                columns: attention.heads * attention.valueSize))
    }

    private func query(
        _ index: Int, _ attention: LatentConfiguration
    ) throws(ModelFileError) -> LatentQuery {
        let hidden = configuration.hidden
        let rows = attention.heads * (attention.plainSize + attention.rotarySize)
        guard let rank = attention.queryRank else {
            return .direct(try projection(.query, index, rows: rows, columns: hidden))
        }
        return .compressed(
            down: try projection(.queryDown, index, rows: rank, columns: hidden),
            norm: try vector(.queryDownNorm, index, count: rank),
            up: try projection(.queryUp, index, rows: rows, columns: rank))
    }

    /// Per head `[rank × plainSize]` and `[valueSize × rank]`.
    ///
    /// llama.cpp's newer files hold both so; older ones and Hugging Face's hold one matrix whose
    /// key part is transposed here, once, into memory.
    private func keysAndValues(
        _ index: Int, _ attention: LatentConfiguration
    ) throws(ModelFileError) -> ([QuantizedMatrix], [QuantizedMatrix]) {
        let (heads, rank) = (attention.heads, attention.rank)
        let (plain, value) = (attention.plainSize, attention.valueSize)
        if archive[name(.latentKeys, index)] != nil {
            return (
                try archive.matrices(
                    name(.latentKeys, index), count: heads, rows: rank, columns: plain),
                try archive.matrices(
                    name(.latentValues, index), count: heads, rows: value, columns: rank)
            )
        }
        let both = try matrix(
            .latentKeysAndValues, index, rows: heads * (plain + value), columns: rank)
        let keys = (0..<heads).map { head in
            let start = head * (plain + value)
            return both.rows(start..<start + plain).transposed()
        }
        let values = (0..<heads).map { head in
            let start = head * (plain + value) + plain
            return both.rows(start..<start + value)
        }
        return (keys, values)
    }
}
