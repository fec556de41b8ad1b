package import MoEModel
import Synchronization
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

        /// What a device is given for a batch: twice what it says it takes, if that is more.
        func allowance(_ device: DeviceDescription, pairs: Int) -> Duration {
            floor + max(perPair, .seconds(2 * (device.pairSeconds ?? 0))) * pairs
        }
    }

    let coordinator: Coordinator
    /// Reads into the page cache what is visited here.
    let fetcher: WeightFetcher
    /// Whether it reads ahead, too.
    let fillsPageCache: Bool
    let local: [[ExpertWeights]]
    private let deadlines: DeadlinePolicy
    private let planner: LivePlanner?
    var cloud: CloudState
    var clock: any MonotonicClock { coordinator.clock }
    private(set) var routes = Routes.none
    private var nextRequest: UInt64 = 1
    /// What was begun and not yet waited for, in that order.
    private var rounds: [Round] = []
    private var stepParts = StepPartsState()
    /// Of the step under way, in all its parts; 0 where steps are not divided.
    private(set) var stepRows = 0
    /// Of the experts here those that have a copy in memory.
    private(set) var residents: (version: Int, experts: [ExpertID: ExpertWeights]) = (0, [:])
    /// The layers of this step for which a frame went out.
    private var tripLayers: Set<Int> = []
    var costs = CostRecord()

    /// - Parameters:
    ///   - local: all experts, for what no device computes.
    ///   - planner: who chooses, if its part is to be in the costs.
    ///   - cloud: decides what far nodes are asked for.
    ///   - fillsPageCache: whether to read ahead where no memory is kept for it.
    package init(
        coordinator: Coordinator, local: [[ExpertWeights]],
        deadlines: DeadlinePolicy = DeadlinePolicy(), planner: LivePlanner? = nil,
        cloud: CloudState = CloudState(), fillsPageCache: Bool = false
    ) {
        self.coordinator = coordinator
        self.local = local
        fetcher = WeightFetcher(local)
        self.fillsPageCache = fillsPageCache
        self.deadlines = deadlines
        self.planner = planner
        self.cloud = cloud
    }

    package func mixture(layer: Int, inputs: Matrix, routing: Routing) -> Matrix {
        let (round, rest) = begin(layer, inputs, routing)
        return finish(round, rest)
    }

    package func begin(layer: Int, inputs: Matrix, routing: Routing) -> MixtureUnderWay {
        let (round, rest) = begin(layer, inputs, routing)
        return MixtureUnderWay { [self] in finish(round, rest) }
    }

    /// Sends a round's frames.
    ///
    /// - Returns: beside it the rows that nobody else can compute.
    private func begin(_ layer: Int, _ inputs: Matrix, _ routing: Routing) -> (Round, Parcel) {
        coordinator.shipping.layerBegan()
        takeLetters()
        if let changed = coordinator.routes(after: routes.version) { routes = changed }
        if let changed = coordinator.residents.copies(after: residents.version) {
            residents = changed
        }
        coordinator.recentRouting.withLock { $0.add(layer: layer, routing) }
        let round = Round(
            layer: layer, inputs: inputs, groups: groups(layer, inputs, routing), began: clock.now)
        for other in rounds { (other.isAlone, round.isAlone) = (false, false) }
        rounds.append(round)
        costs.pairs += routing.pairs.count
        let rest = send(round.units, round)
        announce(round, rest)
        round.predictedSeconds = predictedSeconds(round)
        noteRoundTrip(round)
        return (round, rest)
    }

    package func parts(rows: Int) -> StepDivision {
        // What a step that failed had begun.
        rounds = []
        (stepRows, tripLayers) = (rows, [])
        return StepDivision(
            parts: stepParts.begin(rows: rows, now: clock.now),
            firstLayer: routes.placement.firstSlottedLayer)
    }

    /// Whether devices were asked for part of the layer that was begun last.
    var isAway: Bool { !(rounds.last?.shipments.isEmpty ?? true) }

    /// Waits for a round, its part here computed first.
    private func finish(_ round: Round, _ rest: Parcel) -> Matrix {
        computeOwn(round)
        compute(rest, round)
        while !round.dispatch.isDone { awaitNews() }
        rounds.removeAll { $0 === round }
        let now = clock.now
        stepParts.finishedLayer(now: now)
        coordinator.shipping.layerEnded(at: now)
        if let predicted = round.predictedSeconds, round.isAlone {
            costs.layerTimes.append(
                CostRecord.LayerTime(
                    predictedSeconds: predicted, measuredSeconds: (now - round.began).seconds))
        }
        return round.sum()
    }

    /// The parts of a step share a layer's round trip.
    private func noteRoundTrip(_ round: Round) {
        guard !round.shipments.isEmpty else { return }
        coordinator.rowLog.add(
            [String: Int](
                round.shipments.map { ($0.device.name, $0.rows) }, uniquingKeysWith: +))
        if tripLayers.insert(round.layer).inserted { costs.roundTrips += 1 }
    }

    package func takeCosts() -> CostRecord {
        defer { (costs, tripLayers) = (CostRecord(), []) }
        if let planner {
            costs.rowSelections = planner.takeRows()
            costs.selection = costs.rowSelections.reduce(into: CostRecord.Selection()) {
                $0.add($1)
            }
        }
        return costs
    }
}

extension RemoteExperts {
    /// When the slowest of what was sent should be back, and the base station done with its own, by
    /// the speeds measured until now; nil where nothing was sent, or where others are out.
    private func predictedSeconds(_ round: Round) -> Double? {
        let own = round.groups.reduce(0) { $0 + ($1.slot == nil ? $1.rows.count : 0) }
        let latencies = coordinator.latencies
        // Rounds that are out together delay each other.
        guard round.isAlone else { return nil }
        return round.shipments.map {
            latencies.estimate($0.device.description).latency.seconds(tokens: $0.rows).value
        }.max().map { sent in
            own == 0 ? sent : max(sent, latencies.baseStation.latency.seconds(tokens: own).value)
        }
    }

    /// The routing's pairs by slot: the base station's first, then slots in ascending order.
    private func groups(_ layer: Int, _ inputs: Matrix, _ routing: Routing) -> [SlotGroup] {
        let slots = routes.placement.slots[layer]
        var bySlot = [[ExpertPair]](repeating: [], count: routes.placement.slotCount + 1)
        for pair in routing.pairs { bySlot[(slots[pair.expert] ?? -1) + 1].append(pair) }
        return bySlot.enumerated().compactMap { position, pairs in
            pairs.isEmpty
                ? nil
                : SlotGroup(slot: position > 0 ? position - 1 : nil, inputs: inputs, pairs: pairs)
        }
    }

    /// Sends each row to the device that has its experts and finishes first, or else, where that is
    /// sooner, to a far node; returns the rows that are to be computed here.
    private func send(_ units: [Round.Unit], _ round: Round) -> Parcel {
        var slots = UnitAssignment.assign(units.map { candidates($0, round) }, load: load)
        if !routes.clouds.isEmpty { assignToClouds(units, &slots, round) }
        var parcels = [Parcel](repeating: Parcel(), count: routes.occupants.count)
        var rest = Parcel()
        for (unit, slot) in zip(units, slots) {
            if let slot { parcels[slot].add(unit) } else { rest.add(unit) }
        }
        for (slot, parcel) in parcels.enumerated() where !parcel.segments.isEmpty {
            guard let device = routes.occupants[slot], send(parcel, to: device, round) else {
                // What the codec cannot carry, such as an infinity in int8, stays here.
                compute(parcel, round)
                continue
            }
        }
        return rest
    }

    /// By slot how fast its device is and how many rows it is to answer, all rounds' together.
    private func load() -> [(latency: DeviceLatency, rows: Int)] {
        var rows: [DeviceID: Int] = [:]
        for round in rounds {
            for entry in round.dispatch.entries {
                rows[entry.device, default: 0] += round.shipments[entry.shipment].rows
            }
        }
        return routes.occupants.map { occupant in
            guard let occupant else { return (DeviceLatency(message: .zero, token: Seconds(1)), 0) }
            return (
                coordinator.latencies.estimate(occupant.description).latency,
                rows[occupant.id] ?? 0
            )
        }
    }

    /// The slots whose devices have every expert that the row visits in its group, its own first.
    private func candidates(_ unit: Round.Unit, _ round: Round) -> [Int] {
        let group = round.groups[unit.group]
        var common: [Int]?
        for pair in group.pairs[group.ranges[unit.position]] {
            let holders = routes.holders(layer: round.layer, expert: pair.expert)
            common = common?.filter(holders.contains) ?? holders
        }
        guard !round.failed.isEmpty else { return common ?? [] }
        return (common ?? []).filter { slot in
            routes.occupants[slot].map { !round.failed.contains($0.id) } ?? false
        }
    }

    private func send(
        _ parcel: Parcel, to device: Routes.Occupant, _ round: Round
    ) -> Bool {
        let (inputs, pairs) = parcel.work(round.groups)
        let batch = ExpertBatch(
            requestID: nextRequest, layer: round.layer, codec: coordinator.options.codec,
            inputs: inputs, pairs: pairs)
        guard let frame = try? batch.frame() else { return false }
        let now = clock.now
        round.dispatch.sent(
            nextRequest,
            DispatchState.Outstanding(
                shipment: round.shipments.count, device: device.id, sent: now,
                deadline: now + deadlines.allowance(device.description, pairs: pairs.count)))
        round.shipments.append(
            Round.Shipment(
                parcel: parcel, device: device, rows: inputs.rows, pairs: pairs.count))
        nextRequest += 1
        device.link.send(frame)
        costs.devices[device.name, default: .init()].downlinkBytes += frame.payload.count
        return true
    }

    /// What has come meanwhile.
    private func takeLetters() {
        while let letter = coordinator.mailbox.next(timeout: .zero) { handle(letter) }
    }

    /// Waits until something comes of what is out, or is late; what is lost is computed here.
    private func awaitNews() {
        let start = clock.now
        guard let deadline = rounds.compactMap(\.dispatch.nextDeadline).min() else { return }
        let letter = coordinator.mailbox.next(timeout: deadline - start)
        costs.networkWaitSeconds += (clock.now - start).seconds
        if let letter { handle(letter) }
        let now = clock.now
        for round in rounds {
            for late in round.dispatch.expired(now: now) {
                coordinator.late(late.device)
                takeOver(late, round)
            }
        }
    }

    private func handle(_ letter: Coordinator.Letter) {
        switch letter {
        case .lost(let device):
            // Even where it had nothing to do: rounds' routes still name it.
            for round in rounds { round.failed.insert(device) }
            for round in rounds {
                for lost in round.dispatch.lost(device) { takeOver(lost, round) }
            }
        case .failed(let device, let request, _):
            guard let request else { return }
            for round in rounds {
                if let entry = round.dispatch.answered(request, by: device) {
                    return takeOver(entry, round)
                }
            }
        case .result(let device, let frame, let arrived):
            accept(frame, from: device, at: arrived)
        }
    }

    private func accept(_ frame: Frame, from device: DeviceID, at arrived: Duration) {
        guard let result = try? ExpertResult(frame: frame, model: coordinator.facts) else {
            return coordinator.expel(device, reason: "it sent a malformed result")
        }
        for round in rounds {
            if let entry = round.dispatch.answered(result.requestID, by: device) {
                return accept(result, frame, at: arrived, entry, round)
            }
        }
        // Nobody waits for it any more: a device that was late has answered.
        coordinator.answered(device)
    }

    private func accept(
        _ result: ExpertResult, _ frame: Frame, at arrived: Duration,
        _ entry: DispatchState.Outstanding, _ round: Round
    ) {
        let (device, shipment) = (entry.device, round.shipments[entry.shipment])
        guard result.outputs.rows == shipment.rows else {
            coordinator.expel(
                device, reason: "it sent \(result.outputs.rows) rows for \(shipment.rows)")
            return takeOver(entry, round)
        }
        round.take(shipment.parcel, result.outputs)
        record(result, frame, (arrived - entry.sent).seconds, shipment)
        note(shipment, round)
    }

    private func record(
        _ result: ExpertResult, _ frame: Frame, _ seconds: Double, _ shipment: Round.Shipment
    ) {
        let device = shipment.device.description
        // It cannot have computed for longer than it was away, whatever it says.
        let computed = min(Double(result.computeNanoseconds) * 1e-9, seconds)
        coordinator.latencies.add(
            LatencyEstimator.Sample(
                rows: shipment.rows, roundTripSeconds: seconds, computeSeconds: computed),
            from: device)
        costs.devices[device.name, default: .init()].add(
            CostRecord.Device(
                roundTrips: 1, uplinkBytes: frame.payload.count, pairs: shipment.pairs,
                computeSeconds: computed, roundTripSeconds: seconds))
        coordinator.links.answered(device.name, seconds: seconds, computing: computed)
    }

    /// Notes who computed the experts of a shipment.
    private func note(_ shipment: Round.Shipment, _ round: Round) {
        if costs.hosts.isEmpty {
            costs.hosts = routes.placement.slots.map { [String?](repeating: nil, count: $0.count) }
        }
        for segment in shipment.parcel.segments {
            let group = round.groups[segment.group]
            for position in segment.positions {
                for pair in group.pairs[group.ranges[position]] {
                    costs.hosts[round.layer][pair.expert] = shipment.device.name
                }
            }
        }
    }

    /// What a device did not compute goes to others that can, and else stays here.
    private func takeOver(_ entry: DispatchState.Outstanding, _ round: Round) {
        let shipment = round.shipments[entry.shipment]
        costs.devices[shipment.device.name, default: .init()].lostFrames += 1
        round.failed.insert(entry.device)
        let units = shipment.parcel.segments.flatMap { segment in
            segment.positions.map { Round.Unit(group: segment.group, position: $0) }
        }
        compute(send(units, round), round)
    }
}
