import Tensors

/// Writes a GGUF file a few rows at a time, and goes on where an earlier attempt ended.
///
/// While it is being written the file is called `path.partial`. All rows lie in it in order and a
/// row's bytes follow from the source alone, so that the length of a partial file says what is
/// still to do; a file of another source or other formats is told by its header, by the first row
/// of every tensor, and by the last rows, which are made once more.
package struct GGUFWriter: Sendable {
    /// How far a file is.
    package struct Progress: Sendable {
        /// The tensor that was last written to.
        package let tensor: String
        package let tensorsDone: Int
        package let tensorCount: Int
        package let bytesDone: Int
        package let byteCount: Int
        /// Bytes that an earlier attempt had written.
        package let bytesFound: Int
    }

    /// What was written.
    package struct Report: Sendable, Equatable {
        package var byteCount = 0
        /// Bytes that an earlier attempt had written.
        package var bytesFound = 0
        /// Numbers, of those written now, that fp16 or bf16 could not hold exactly.
        package var rounded = 0
    }

    private let path: String
    private let source: String
    private let layout: GGUFLayout
    private let tensors: [PlannedTensor]
    private let threads: Int

    /// - Parameters:
    ///   - path: the file to write.
    ///   - source: the path of the model, for error messages.
    ///   - metadata: in order; without `general.alignment`.
    ///   - tensors: in order; names differ.
    ///   - threads: that quantise at a time; the bytes do not depend on it.
    package init(
        path: String, source: String, metadata: [GGUFMetadataEntry], tensors: [PlannedTensor],
        threads: Int
    ) {
        precondition(
            !metadata.contains { $0.key == "general.alignment" },
            "The alignment is the format's default.")
        precondition(
            Set(tensors.map(\.name)).count == tensors.count, "Tensors have names of their own.")
        self.path = path
        self.source = source
        self.tensors = tensors
        self.threads = max(1, threads)
        layout = GGUFLayout(metadata: metadata, tensors: tensors)
    }

    /// The size of the whole file.
    package var byteCount: Int { layout.byteCount }

    /// The name of the file while it is being written.
    package var partialPath: String { path + ".partial" }

    /// Writes the file, or what is missing of it.
    ///
    /// - Parameters:
    ///   - replaces: whether a file of that name, or a partial file of something else, may go.
    ///   - progress: called after every few rows; if it returns false, writing ends there with
    ///     nil, and a later call goes on.
    /// - Returns: what was written, or nil.
    /// - Throws: `cannotWrite` for a file that is there, a full disk or the system's reasons;
    ///   `malformed` or `overLimit` for numbers that the format cannot hold.
    /// - Complexity: O(numbers); memory of a few rows or of one rearranged matrix.
    package func write(
        replacing replaces: Bool, progress: (Progress) -> Bool
    ) throws(ModelFileError) -> Report? {
        guard replaces || MappedFile.kind(of: path) == nil else {
            throw ModelFileError(
                .cannotWrite, file: path, "is already there; choose another name or add --force")
        }
        let file = try OutputFile(path: partialPath)
        let found = try resume(file, replaces: replaces)
        if let problem = shortage(of: file, found: found) {
            if found == 0 { file.discard() }
            throw problem
        }
        var report = Report(byteCount: layout.byteCount, bytesFound: found)
        do throws(ModelFileError) {
            guard try writeRest(of: file, &report, progress) else { return nil }
        } catch {
            // No later attempt can finish what holds numbers that do not fit.
            if error.code != .cannotWrite { file.discard() }
            throw error
        }
        try file.resize(layout.byteCount)
        try file.finish(as: path)
        return report
    }

    /// Writes everything after the first `report.bytesFound` bytes; false if `progress` ended it.
    private func writeRest(
        of file: borrowing OutputFile, _ report: inout Report, _ progress: (Progress) -> Bool
    ) throws(ModelFileError) -> Bool {
        let found = report.bytesFound
        if found == 0 { try file.write(layout.header, at: 0) }
        for (index, tensor) in tensors.enumerated() {
            let offset = layout.offsets[index]
            guard offset + tensor.byteCount > found else { continue }
            let cursor = RowCursor(tensor: tensor, threads: threads, source: source)
            var first = max(0, found - offset) / tensor.bytesPerRow
            while let (rows, encoded) = try cursor.next(from: first) {
                let start = offset + rows.lowerBound * tensor.bytesPerRow
                try file.write(encoded.bytes, at: start)
                report.rounded += encoded.rounded
                first = rows.upperBound
                let goesOn = progress(
                    Progress(
                        tensor: tensor.name, tensorsDone: first == tensor.rows ? index + 1 : index,
                        tensorCount: tensors.count, bytesDone: start + encoded.bytes.count,
                        byteCount: layout.byteCount, bytesFound: found))
                guard goesOn else { return false }
            }
        }
        return true
    }

    /// How many bytes of the file are already there and right, to a whole row.
    private func resume(
        _ file: borrowing OutputFile, replaces: Bool
    ) throws(ModelFileError) -> Int {
        let size = try file.size()
        let found = try usable(file, size: size)
        if let found {
            try file.resize(found)
            return found
        }
        guard replaces else {
            throw ModelFileError(
                .cannotWrite, file: partialPath,
                "was begun from another model or with other types; delete it or add --force")
        }
        try file.resize(0)
        return 0
    }

    /// Nil where the partial file is of something else.
    private func usable(
        _ file: borrowing OutputFile, size: Int
    ) throws(ModelFileError) -> Int? {
        let header = try file.read(at: 0, count: min(size, layout.header.count))
        guard size <= layout.byteCount, layout.header.starts(with: header) else { return nil }
        guard size > layout.header.count else { return 0 }
        var found = layout.header.count
        for (index, tensor) in tensors.enumerated() {
            let offset = layout.offsets[index]
            let rows = min(tensor.rows, max(0, size - offset) / tensor.bytesPerRow)
            guard rows > 0 else { break }
            let isLast =
                rows < tensor.rows || index + 1 == tensors.count
                || size < layout.offsets[index + 1] + tensors[index + 1].bytesPerRow
            let cursor = RowCursor(tensor: tensor, threads: threads, source: source)
            for checked in cursor.samples(of: rows, includingLast: isLast) {
                let right = try cursor.encode(checked)
                let start = offset + checked.lowerBound * tensor.bytesPerRow
                guard try file.read(at: start, count: right.count) == right else { return nil }
            }
            found = offset + rows * tensor.bytesPerRow
        }
        return found
    }

    /// An error where the disk has no room for what is missing.
    private func shortage(of file: borrowing OutputFile, found: Int) -> ModelFileError? {
        let needed = layout.byteCount - found
        guard let room = file.room(), room < needed else { return nil }
        return ModelFileError(
            .cannotWrite, file: path,
            "needs \(needed) more bytes, the disk has room for \(room); make room or choose a "
                + "smaller type")
    }
}
