import MoEModel
import SystemModel
import Tensors

/// What the base station computes itself: its own part of a round, and what no device did.
extension RemoteExperts {
    /// The groups that are planned at the base station: no codec lies between.
    func computeOwn(_ round: Round) {
        for (index, group) in round.groups.enumerated() where group.slot == nil {
            let output = measured(group.inputs, group.pairs, round)
            round.groups[index].take(Array(group.rows.indices), output, from: 0)
        }
    }

    /// Rows computed here, as their device would have: through the codec, both ways.
    func compute(_ parcel: Parcel, _ round: Round) {
        guard !parcel.segments.isEmpty else { return }
        costs.recomputedGroups += parcel.segments.count { segment in
            !(round.groups[segment.group].slot.map(routes.isCloud) ?? false)
        }
        let (inputs, pairs) = parcel.work(round.groups)
        announce(pairs, round)
        let codec = coordinator.options.codec
        let output = measured(inputs.travelled(codec), pairs, round)
        round.take(parcel, output.travelled(codec))
    }

    private func measured(_ inputs: Matrix, _ pairs: [ExpertPair], _ round: Round) -> Matrix {
        let start = clock.now
        var fromFile = false
        let output = partialMixture(inputs: inputs, pairs: pairs) { expert in
            let id = ExpertID(layer: round.layer, expert: expert)
            let (weights, isHere) = weights(id, rows: max(round.inputs.rows, stepRows))
            if !isHere {
                fromFile = true
                // A model that was copied out of its file is in memory as a whole.
                if !local[id.layer][expert].isCopied { costs.fileVisits += 1 }
            }
            return weights
        }
        coordinator.recents.endVisits()
        coordinator.latencies.addBaseStation(
            rows: inputs.rows, seconds: (clock.now - start).seconds, fromFile: fromFile)
        costs.localPairs += pairs.count
        return output
    }

    /// An expert's weights: of the experts that are to stay here, of those that tokens visited
    /// last, or else in the file, read now.
    private func weights(
        _ id: ExpertID, rows: Int
    ) -> (weights: ExpertWeights, isHere: Bool) {
        if let copy = residents.experts[id] { return (copy, true) }
        let mapped = local[id.layer][id.expert]
        if routes.resident.contains(id) { return (mapped, true) }
        guard let recent = coordinator.recents.weights(of: id, rows: rows) else {
            return (mapped, false)
        }
        return (recent.weights, recent.wasHere)
    }
}
