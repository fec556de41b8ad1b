import SystemModel

/// What far nodes are asked for.
extension RemoteExperts {
    /// Gives rows that no device can compute to the first far node that can, if it is to have them.
    func assignToClouds(_ units: [Round.Unit], _ slots: inout [Int?], _ round: Round) {
        for slot in routes.clouds {
            guard let far = routes.occupants[slot], !round.failed.contains(far.id) else { continue }
            let wanted = units.indices.filter { index in
                let group = round.groups[units[index].group]
                return slots[index] == nil
                    && group.pairs[group.ranges[units[index].position]].allSatisfy {
                        far.ready.contains(ExpertID(layer: round.layer, expert: $0.expert))
                    }
            }
            guard !wanted.isEmpty, cloud.sends(outlook(far, rows: wanted.count, slots, round))
            else { continue }
            for index in wanted { slots[index] = slot }
        }
    }

    /// The layer with and without a far node's help.
    private func outlook(
        _ far: Routes.Occupant, rows: Int, _ slots: [Int?], _ round: Round
    ) -> CloudState.Outlook {
        let latencies = coordinator.latencies
        let sent = Dictionary(
            slots.compactMap { slot in slot.map { ($0, 1) } }, uniquingKeysWith: +)
        let devices = sent.compactMap { slot, rows in
            routes.occupants[slot].map {
                latencies.estimate($0.description).latency.seconds(tokens: rows).value
            }
        }
        return CloudState.Outlook(
            rows: rows,
            ownRows: round.groups.reduce(0) { $0 + ($1.slot == nil ? $1.rows.count : 0) },
            devicesSeconds: devices.max() ?? 0,
            cloud: latencies.estimate(far.description).latency,
            memory: latencies.baseStation.latency, file: latencies.file.latency,
            isMeasured: latencies.areMeasured(far.name))
    }
}
