package import MoEModel
package import SystemModel
package import Tensors
import Wire

/// A layer's experts, spread over the cell: one frame out to each device that has work, one back.
///
/// Pairs are grouped by the plan's slots and summed group by group in the plan's order, whoever
/// computed them. A group whose device is missing, late or wrong is computed here from the base
/// station's own file, through the same codec, so the answer has the same bits.
package final class RemoteExperts: ExpertExecutor {
    /// When a device counts as late.
    package struct DeadlinePolicy: Sendable {
        /// The least time any device is given.
        package var floor = Duration.seconds(2)
        /// Added for each pair of a token and an expert.
        package var perPair = Duration.milliseconds(50)

        package init() {}
    }

    private let coordinator: Coordinator
    private let local: [[ExpertWeights]]
    private let deadlines: DeadlinePolicy
    private let planner: LivePlanner?
    private var clock: any MonotonicClock { coordinator.clock }
    private var routes = Routes.none
    private var nextRequest: UInt64 = 1
    private var costs = CostRecord()

    /// - Parameters:
    ///   - local: all experts, for what no device computes.
    ///   - planner: who chooses, if its part is to be in the costs.
    package init(
        coordinator: Coordinator, local: [[ExpertWeights]],
        deadlines: DeadlinePolicy = DeadlinePolicy(), planner: LivePlanner? = nil
    ) {
        self.coordinator = coordinator
        self.local = local
        self.deadlines = deadlines
        self.planner = planner
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
        while let letter = coordinator.mailbox.next(timeout: .zero) { handleStray(letter) }
        if let changed = coordinator.routes(after: routes.version) { routes = changed }
        var round = Round(layer: layer, inputs: inputs, groups: groups(layer, inputs, routing))
        costs.pairs += routing.pairs.count
        send(&round)
        for index in round.groups.indices where round.groups[index].device == nil {
            round.groups[index].output = compute(round.groups[index], layer)
        }
        collect(&round)
        return round.sum()
    }

    package func takeCosts() -> CostRecord {
        defer { costs = CostRecord() }
        if let planner {
            costs.rowSelections = planner.takeRows()
            costs.selection = costs.rowSelections.reduce(into: CostRecord.Selection()) {
                $0.add($1)
            }
        }
        return costs
    }
}

/// The rows and pairs of one slot, and what became of them.
private struct Group {
    /// Nil: planned at the base station, so no codec lies between.
    let slot: Int?
    /// Rows of the layer's inputs that have pairs here, ascending.
    let rows: [Int]
    /// `[rows × hidden]`
    let inputs: Matrix
    /// Their `row` is a position in `rows`.
    let pairs: [ExpertPair]
    /// Who computes it; nil for the base station.
    var device: Routes.Occupant?
    /// `[rows × hidden]`
    var output: Matrix?
}

/// One call of `mixture`.
private struct Round {
    let layer: Int
    let inputs: Matrix
    var groups: [Group]
    var dispatch = DispatchState()

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

extension RemoteExperts {
    /// The routing's pairs by slot: the base station's first, then slots in ascending order.
    private func groups(_ layer: Int, _ inputs: Matrix, _ routing: Routing) -> [Group] {
        let slots = routes.placement.slots[layer]
        var bySlot = [[ExpertPair]](repeating: [], count: routes.placement.slotCount + 1)
        for pair in routing.pairs { bySlot[(slots[pair.expert] ?? -1) + 1].append(pair) }
        return bySlot.enumerated().compactMap { position, pairs in
            pairs.isEmpty ? nil : group(layer, inputs, slot: position - 1, pairs)
        }
    }

    private func group(
        _ layer: Int, _ inputs: Matrix, slot: Int, _ pairs: [ExpertPair]
    ) -> Group {
        var rows: [Int] = []
        var own: [ExpertPair] = []
        own.reserveCapacity(pairs.count)
        for pair in pairs {
            if rows.last != pair.row { rows.append(pair.row) }
            own.append(
                ExpertPair(row: rows.count - 1, expert: pair.expert, weight: pair.weight))
        }
        let all = rows.count == inputs.rows
        return Group(
            slot: slot < 0 ? nil : slot, rows: rows,
            inputs: all ? inputs : inputs.gatheringRows(rows), pairs: own,
            device: slot < 0 ? nil : device(inSlot: slot, for: pairs, of: layer))
    }

    /// The slot's device if it has every expert that the pairs visit.
    private func device(inSlot slot: Int, for pairs: [ExpertPair], of layer: Int) -> Routes
        .Occupant?
    {
        guard let occupant = routes.occupants[slot] else { return nil }
        let isReady = pairs.allSatisfy { pair in
            occupant.ready.contains(ExpertID(layer: layer, expert: pair.expert))
        }
        return isReady ? occupant : nil
    }

    /// Sends every group that has a device.
    private func send(_ round: inout Round) {
        for (index, group) in round.groups.enumerated() {
            guard let device = group.device else { continue }
            let batch = ExpertBatch(
                requestID: nextRequest, layer: round.layer, codec: coordinator.options.codec,
                inputs: group.inputs, pairs: group.pairs)
            guard let frame = try? batch.frame() else {
                // What the codec cannot carry, such as an infinity in int8, stays here.
                round.groups[index].device = nil
                continue
            }
            let now = clock.now
            round.dispatch.sent(
                nextRequest,
                DispatchState.Outstanding(
                    group: index, device: device.id, sent: now,
                    deadline: now + deadlines.floor + deadlines.perPair * group.pairs.count))
            nextRequest += 1
            device.link.send(frame)
            costs.devices[device.name, default: .init()].downlinkBytes += frame.payload.count
        }
    }

    /// Waits for what is out; what is lost is computed here.
    private func collect(_ round: inout Round) {
        while let deadline = round.dispatch.nextDeadline {
            let start = clock.now
            let letter = coordinator.mailbox.next(timeout: deadline - start)
            costs.networkWaitSeconds += (clock.now - start).seconds
            if let letter { handle(letter, &round) }
            for late in round.dispatch.expired(now: clock.now) {
                coordinator.late(late.device)
                takeOver(late, &round)
            }
        }
    }

    private func handle(_ letter: Coordinator.Letter, _ round: inout Round) {
        switch letter {
        case .lost(let device):
            for lost in round.dispatch.lost(device) { takeOver(lost, &round) }
        case .failed(let device, let request, _):
            guard let request, let entry = round.dispatch.answered(request, by: device) else {
                return
            }
            takeOver(entry, &round)
        case .result(let device, let frame, let arrived):
            accept(frame, from: device, at: arrived, &round)
        }
    }

    /// A letter that no round waits for any more: a device that was late has answered.
    private func handleStray(_ letter: Coordinator.Letter) {
        if case .result(let device, _, _) = letter { coordinator.answered(device) }
    }

    private func accept(
        _ frame: Frame, from device: DeviceID, at arrived: Duration, _ round: inout Round
    ) {
        guard let result = try? ExpertResult(frame: frame, model: coordinator.facts) else {
            return coordinator.expel(device, reason: "it sent a malformed result")
        }
        guard let entry = round.dispatch.answered(result.requestID, by: device) else {
            return coordinator.answered(device)
        }
        let group = round.groups[entry.group]
        guard result.outputs.rows == group.rows.count else {
            coordinator.expel(
                device, reason: "it sent \(result.outputs.rows) rows for \(group.rows.count)")
            return takeOver(entry, &round)
        }
        round.groups[entry.group].output = result.outputs
        record(result, frame, (arrived - entry.sent).seconds, group)
    }

    private func record(
        _ result: ExpertResult, _ frame: Frame, _ seconds: Double, _ group: Group
    ) {
        guard let device = group.device?.description else { return }
        // It cannot have computed for longer than it was away, whatever it says.
        let computed = min(Double(result.computeNanoseconds) * 1e-9, seconds)
        coordinator.latencies.add(
            LatencyEstimator.Sample(
                rows: group.rows.count, roundTripSeconds: seconds, computeSeconds: computed),
            from: device)
        costs.devices[device.name, default: .init()].add(
            CostRecord.Device(
                roundTrips: 1, uplinkBytes: frame.payload.count, pairs: group.pairs.count,
                computeSeconds: computed, roundTripSeconds: seconds))
    }

    /// The base station computes what a device did not.
    private func takeOver(_ entry: DispatchState.Outstanding, _ round: inout Round) {
        let group = round.groups[entry.group]
        if let name = group.device?.name { costs.devices[name, default: .init()].lostFrames += 1 }
        round.groups[entry.group].output = compute(group, round.layer)
    }

    /// What is left of activations after the codec; all of them where it cannot carry a row.
    private func travelled(_ activations: Matrix, _ codec: ActivationCodec) -> Matrix {
        guard codec != .fp32, let bytes = try? codec.encode(activations) else { return activations }
        let (rows, columns) = (activations.rows, activations.columns)
        return (try? codec.decode(bytes, rows: rows, columns: columns)) ?? activations
    }

    /// A group computed here, as its device would have: through the codec, both ways.
    private func compute(_ group: Group, _ layer: Int) -> Matrix {
        let start = clock.now
        defer {
            coordinator.latencies.addBaseStation(
                rows: group.rows.count, seconds: (clock.now - start).seconds)
        }
        costs.localPairs += group.pairs.count
        let weights = local[layer]
        guard group.slot != nil else {
            return partialMixture(inputs: group.inputs, pairs: group.pairs) { weights[$0] }
        }
        let codec = coordinator.options.codec
        let output = partialMixture(
            inputs: travelled(group.inputs, codec), pairs: group.pairs
        ) { weights[$0] }
        return travelled(output, codec)
    }
}
