/// `r(q) = max_c f(c) + g(q - c)`, the (max,+) convolution of two sequences that never fall
/// (SlimCaching's acceleration of the dynamic program; SMAWK is Aggarwal and others', 1987).
///
/// A sequence stands for one that stays at its last value.
enum MaxConvolution {
    /// Any two sequences, by definition. O(f · g).
    ///
    /// - Returns: `r(0...most)` and the smallest `c` that gives it.
    static func plain(
        _ first: [Double], _ second: [Double], most: Int
    ) -> (values: [Double], choice: [Int32]) {
        let most = min(most, first.count + second.count - 2)
        var values = [Double](repeating: 0, count: most + 1)
        var choice = [Int32](repeating: 0, count: most + 1)
        for total in 0...most {
            var best = -Double.infinity
            var from = 0
            for count in max(0, total - second.count + 1)...min(total, first.count - 1) {
                let value = first[count] + second[total - count]
                if value > best { (best, from) = (value, count) }
            }
            values[total] = best
            choice[total] = Int32(from)
        }
        return (values, choice)
    }

    /// Concave sequences, by merging their slopes, ties by index.
    ///
    /// - Returns: which sequence each further unit goes to: of the first `q` units, sequence `i`
    ///   has as many as `i` stands there. Only units that add something.
    /// - Complexity: O(most · log sequences).
    static func merge(_ sequences: [[Double]], most: Int) -> [Int32] {
        var heap = SlopeHeap(sequences)
        var units: [Int32] = []
        while units.count < most, let sequence = heap.take() { units.append(Int32(sequence)) }
        return units
    }

    /// A concave sequence with an arbitrary one, by SMAWK on the matrix
    /// `[q][c] = arbitrary(c) + concave(q - c)`, which is totally monotone. O(concave + arbitrary).
    ///
    /// - Returns: `r(0...most)` and a `c` that gives it.
    static func smawk(
        arbitrary: [Double], concave: [Double], most: Int
    ) -> (values: [Double], choice: [Int32]) {
        let most = min(most, arbitrary.count + concave.count - 2)
        let last = concave.count - 1
        // Steeper than any slope there is: keeps the sequence concave to the left of 0, so that
        // the matrix stays monotone where there is no entry.
        let steep = 1 + (arbitrary.last ?? 0) + 2 * concave[last]
        let entry = { (row: Int, column: Int) -> Double in
            let rest = row - column
            guard rest >= 0 else { return arbitrary[column] + steep * 2 * Double(rest) }
            return arbitrary[column] + concave[min(rest, last)]
        }
        var choice = [Int32](repeating: 0, count: most + 1)
        rowMaxima(
            rows: Array(0...most), columns: Array(arbitrary.indices), entry: entry, into: &choice)
        return ((0...most).map { entry($0, Int(choice[$0])) }, choice)
    }

    /// SMAWK: drops columns that hold no row's maximum, solves every second row, fills in the rest.
    private static func rowMaxima(
        rows: [Int], columns: [Int], entry: (Int, Int) -> Double, into choice: inout [Int32]
    ) {
        guard !rows.isEmpty else { return }
        var kept: [Int] = []
        for column in columns {
            while let top = kept.last,
                entry(rows[kept.count - 1], top) < entry(rows[kept.count - 1], column)
            {
                kept.removeLast()
            }
            if kept.count < rows.count { kept.append(column) }
        }
        let odd = stride(from: 1, to: rows.count, by: 2).map { rows[$0] }
        rowMaxima(rows: odd, columns: kept, entry: entry, into: &choice)
        var place = 0
        for even in stride(from: 0, to: rows.count, by: 2) {
            let row = rows[even]
            let end = even + 1 < rows.count ? Int(choice[rows[even + 1]]) : kept[kept.count - 1]
            var best = kept[place]
            while kept[place] != end {
                place += 1
                if entry(row, kept[place]) > entry(row, best) { best = kept[place] }
            }
            choice[row] = Int32(best)
        }
    }

    /// The next slope of each sequence, greatest first, ties by sequence.
    private struct SlopeHeap {
        private let sequences: [[Double]]
        private var taken: [Int]
        private var heap: [(slope: Double, sequence: Int)] = []

        init(_ sequences: [[Double]]) {
            self.sequences = sequences
            taken = Array(repeating: 0, count: sequences.count)
            for sequence in sequences.indices where sequences[sequence].count > 1 {
                heap.append((sequences[sequence][1] - sequences[sequence][0], sequence))
            }
            for node in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(node) }
        }

        /// Takes the greatest slope; nil where none is above 0.
        mutating func take() -> Int? {
            guard let top = heap.first, top.slope > 0 else { return nil }
            let sequence = top.sequence
            taken[sequence] += 1
            let gains = sequences[sequence]
            let next = taken[sequence] + 1
            heap[0].slope = next < gains.count ? gains[next] - gains[next - 1] : 0
            sink(0)
            return sequence
        }

        private mutating func sink(_ start: Int) {
            var node = start
            while true {
                var top = node
                for child in [2 * node + 1, 2 * node + 2] where child < heap.count {
                    if isBefore(child, top) { top = child }
                }
                guard top != node else { return }
                heap.swapAt(node, top)
                node = top
            }
        }

        private func isBefore(_ left: Int, _ right: Int) -> Bool {
            heap[left].slope != heap[right].slope
                ? heap[left].slope > heap[right].slope
                : heap[left].sequence < heap[right].sequence
        }
    }
}
