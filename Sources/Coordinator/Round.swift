import MoEModel
import SystemModel
import Tensors

/// The rows and pairs of one slot: what is summed together, whoever computes it.
struct SlotGroup {
    /// Nil: planned at the base station, so no codec lies between.
    let slot: Int?
    /// Rows of the layer's inputs that have pairs here, ascending.
    let rows: [Int]
    /// `[rows × hidden]`
    let inputs: Matrix
    /// Their `row` is a position in `rows`; ascending by it, then by expert.
    let pairs: [ExpertPair]
    /// By position in `rows`, which of the pairs.
    let ranges: [Range<Int>]
    /// `[rows × hidden]`; nil before the first row is there.
    private(set) var output: Matrix?

    /// - Parameter pairs: of one slot, ascending by row of `inputs`, then expert.
    init(slot: Int?, inputs: Matrix, pairs: [ExpertPair]) {
        var rows: [Int] = []
        var ranges: [Range<Int>] = []
        var own: [ExpertPair] = []
        own.reserveCapacity(pairs.count)
        for (place, pair) in pairs.enumerated() {
            if rows.last == pair.row {
                ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<place + 1
            } else {
                rows.append(pair.row)
                ranges.append(place..<place + 1)
            }
            own.append(
                ExpertPair(row: rows.count - 1, expert: pair.expert, weight: pair.weight))
        }
        self.slot = slot
        self.rows = rows
        self.inputs = rows.count == inputs.rows ? inputs : inputs.gatheringRows(rows)
        self.pairs = own
        self.ranges = ranges
    }

    /// Takes in the results of some of its rows.
    ///
    /// - Parameters:
    ///   - positions: in `rows`.
    ///   - first: the row of `results` that belongs to the first of them.
    mutating func take(_ positions: [Int], _ results: Matrix, from first: Int) {
        if positions.count == rows.count, results.rows == rows.count {
            output = results
            return
        }
        var sum = output ?? Matrix(rows: rows.count, columns: results.columns)
        output = nil
        for (place, position) in positions.enumerated() {
            sum.addScaled(row: position, 1, results, sourceRow: first + place)
        }
        output = sum
    }
}

/// What one machine computes for a round: rows of some groups, one after another.
struct Parcel {
    /// Rows of one group.
    struct Segment {
        /// Position of the group in the round.
        let group: Int
        /// In the group's `rows`.
        var positions: [Int]
    }

    var segments: [Segment] = []

    /// Adds a row of a group; groups come in ascending order.
    mutating func add(_ unit: Round.Unit) {
        if segments.last?.group == unit.group {
            segments[segments.count - 1].positions.append(unit.position)
        } else {
            segments.append(Segment(group: unit.group, positions: [unit.position]))
        }
    }

    /// The inputs of all its rows, `[rows × hidden]`, and the pairs that visit them.
    func work(_ groups: [SlotGroup]) -> (inputs: Matrix, pairs: [ExpertPair]) {
        if segments.count == 1 {
            let group = groups[segments[0].group]
            if segments[0].positions.count == group.rows.count {
                return (group.inputs, group.pairs)
            }
        }
        var values: [Float] = []
        var pairs: [ExpertPair] = []
        var rows = 0
        for segment in segments {
            let group = groups[segment.group]
            for position in segment.positions {
                values += group.inputs.row(position)
                pairs += group.pairs[group.ranges[position]].map {
                    ExpertPair(row: rows, expert: $0.expert, weight: $0.weight)
                }
                rows += 1
            }
        }
        let columns = groups.first?.inputs.columns ?? 0
        return (Matrix(rows: rows, columns: columns, values: values), pairs)
    }
}

/// One call of `begin`, until its mixture is there.
final class Round {
    /// A row of a group: what one machine computes as a whole, so that its sum is rounded the same
    /// wherever that is.
    struct Unit {
        let group: Int
        let position: Int
    }

    /// A parcel that is out.
    struct Shipment {
        let parcel: Parcel
        let device: Routes.Occupant
        let rows: Int
        let pairs: Int
    }

    let layer: Int
    let inputs: Matrix
    var groups: [SlotGroup]
    var dispatch = DispatchState()
    var shipments: [Shipment] = []
    /// Devices that failed in this round and get nothing more of it.
    var failed: Set<DeviceID> = []
    /// When it began, by the coordinator's clock.
    let began: Duration
    /// How long it should take from then on; nil where nothing was sent.
    var predictedSeconds: Double?
    /// Whether no other round was under way beside it.
    var isAlone = true

    init(layer: Int, inputs: Matrix, groups: [SlotGroup], began: Duration) {
        self.layer = layer
        self.inputs = inputs
        self.groups = groups
        self.began = began
    }

    /// All rows of all groups that are not the base station's.
    var units: [Unit] {
        groups.enumerated().flatMap { index, group in
            group.slot == nil
                ? [] : group.rows.indices.map { Unit(group: index, position: $0) }
        }
    }

    /// Takes in what was computed of a parcel.
    func take(_ parcel: Parcel, _ results: Matrix) {
        var first = 0
        for segment in parcel.segments {
            groups[segment.group].take(segment.positions, results, from: first)
            first += segment.positions.count
        }
    }

    /// The groups' outputs, added in the plan's order: `[tokens × hidden]`.
    func sum() -> Matrix {
        var total = Matrix(rows: inputs.rows, columns: inputs.columns)
        for group in groups {
            guard let output = group.output else { preconditionFailure("every group is computed") }
            for (position, row) in group.rows.enumerated() {
                total.addScaled(row: row, 1, output, sourceRow: position)
            }
        }
        return total
    }
}

/// Which of the devices that can compute a row does: the one that finishes first, given what it has
/// to do already (list scheduling; ours). What only one device can do is dealt first.
struct UnitAssignment {
    /// - Parameters:
    ///   - candidates: by unit the slots that can compute it, the usual one first; may be empty.
    ///   - load: by slot its latency and the rows that it was sent and has not answered; asked for
    ///     only where there is a choice.
    /// - Returns: by unit a slot, or nil where nobody can.
    static func assign(
        _ candidates: [[Int]], load: () -> [(latency: DeviceLatency, rows: Int)]
    ) -> [Int?] {
        var slots = candidates.map(\.first)
        let open = candidates.indices.filter { candidates[$0].count > 1 }
        guard !open.isEmpty else { return slots }
        let load = load()
        var rows = load.map(\.rows)
        for options in candidates where options.count == 1 { rows[options[0]] += 1 }
        for unit in open {
            var best = (seconds: Double.infinity, slot: candidates[unit][0])
            for slot in candidates[unit] {
                let seconds = load[slot].latency.seconds(tokens: rows[slot] + 1).value
                if seconds < best.seconds { best = (seconds, slot) }
            }
            slots[unit] = best.slot
            rows[best.slot] += 1
        }
        return slots
    }
}
