import CKernels

extension BlockFormat {
    /// Size of the first field of a packed block, or nil where there are no packed kernels.
    var packedHeadBytes: Int? {
        switch self {
        case .q8_0, .q4_0: 2
        case .mxfp4: 1
        case .q4_K, .q5_K, .q6_K: 0
        default: nil
        }
    }
}

extension QuantizedMatrix {
    /// This matrix with its weights once more in `pages`, as kernels read them fastest: packed in
    /// panels of sixteen rows (`martlet_pack`) where the format has packed kernels, else as they
    /// are. The bytes as published stay where they are; nothing that computes reads them any more.
    ///
    /// - Parameter inBackground: on the calling thread alone, which gives way to others between two
    ///   panels; otherwise the pool's threads take part.
    /// - Throws: `HugePageError` if there is no memory for the copy.
    /// - Complexity: one pass over the weights; takes their size again.
    package func copied(
        into pages: HugePages, inBackground: Bool = false
    ) throws(HugePageError) -> QuantizedMatrix {
        guard let head = format.packedHeadBytes else {
            let copy = try pages.bytes(bytes.count) { target in
                bytes.withUnsafeBytes { source in
                    guard let start = source.baseAddress else { return }
                    target.copyMemory(from: start, byteCount: source.count)
                }
            }
            return QuantizedMatrix(rows: rows, columns: columns, format: format, bytes: copy)
        }
        var packed = self
        packed.panels = try pages.bytes(rows / Self.panelRows * Self.panelRows * bytesPerRow) {
            pack(head: head, into: $0, inBackground)
        }
        return packed
    }

    private func pack(
        head: Int, into target: UnsafeMutableRawPointer, _ inBackground: Bool
    ) {
        let panelBytes = Self.panelRows * bytesPerRow
        let panels = rows / Self.panelRows
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            let pack = { (panel: Int) in
                martlet_pack(
                    start + panel * panelBytes, bytesPerRow, format.bytesPerBlock, head,
                    target + panel * panelBytes)
            }
            guard inBackground else { return ThreadPool.shared.run(panels, pack) }
            for panel in 0..<panels {
                pack(panel)
                GivingWay.look()
            }
        }
    }
}
