import CKernels

extension KeyValueTile {
    /// Stores one position's key and value.
    ///
    /// - Parameters:
    ///   - key: `[keySize]`.
    ///   - value: `[valueSize]`; not read where values are keys.
    ///   - position: of the tile's `positions`.
    ///   - tile: `byteCount` bytes, aligned to 4.
    package func store(
        key: UnsafePointer<Float>, value: UnsafePointer<Float>, at position: Int,
        in tile: UnsafeMutableRawPointer
    ) {
        precondition(0..<Self.positions ~= position, "the position lies in the tile")
        Kernels.detected.store(self, key: key, value: value, at: position, in: tile)
    }

    /// The tile as the kernels see it.
    var geometry: martlet_tile {
        let precision =
            switch precision {
            case .f32: MARTLET_TILE_F32
            case .f16: MARTLET_TILE_F16
            case .q8_0: MARTLET_TILE_Q8_0
            }
        return martlet_tile(
            precision: precision, key_size: keySize, value_size: valueSize,
            values_are_keys: valuesAreKeys ? 1 : 0, key_bytes: keyBytes)
    }
}

extension Kernels {
    /// See `KeyValueTile.store`.
    func store(
        _ tile: KeyValueTile, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
        at position: Int, in bytes: UnsafeMutableRawPointer
    ) {
        var geometry = tile.geometry
        table.pointee.store(&geometry, key, value, position, bytes)
    }

    /// See `AttentionTask.run`.
    func attend(_ task: AttentionTask) {
        let (tile, queries) = (task.tile, task.rows * task.heads)
        let numbers =
            tile.keySize * KeyValueTile.positions
            + tile.valueColumns * (KeyValueTile.positions + queries) + 2 * queries
        // Aligned to whole vectors.
        withUnsafeTemporaryAllocation(byteCount: 4 * numbers, alignment: 64) { scratch in
            let scratch = scratch.bindMemory(to: Float.self)
            guard let scratch = scratch.baseAddress else { return }
            var attention = martlet_attention(
                tile: tile.geometry, pages: task.pages, tile_offset: task.offset,
                position: task.position, rows: task.rows, heads: task.heads, window: task.window,
                scale: task.scale, queries: task.queries, query_stride: task.queryStride,
                outputs: task.outputs, output_stride: task.outputStride, sinks: task.sinks,
                scratch: scratch)
            table.pointee.attention(&attention)
        }
    }
}
