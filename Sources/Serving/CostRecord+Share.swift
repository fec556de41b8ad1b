import SystemModel

extension CostRecord {
    /// The part of a step's costs that `rows` of its `total` rows account for, counts rounded; what
    /// a policy changed is known row by row.
    func share(_ range: Range<Int>, of total: Int) -> CostRecord {
        let rows = range.count
        guard rows < total else { return self }
        let part = Double(rows) / Double(total)
        func scaled(_ count: Int) -> Int { Int((Double(count) * part).rounded()) }
        var share = CostRecord()
        share.tokens = rows
        share.steps = steps
        share.totalSeconds = totalSeconds * part
        share.networkWaitSeconds = networkWaitSeconds * part
        share.roundTrips = scaled(roundTrips)
        share.pairs = scaled(pairs)
        share.localPairs = scaled(localPairs)
        share.fileVisits = scaled(fileVisits)
        share.predictedPairs = scaled(predictedPairs)
        share.rightlyPredictedPairs = scaled(rightlyPredictedPairs)
        if selection != nil {
            share.selection = rowSelections[range].reduce(into: Selection()) { $0.add($1) }
        }
        share.recomputedGroups = scaled(recomputedGroups)
        share.devices = devices.mapValues { device in
            Device(
                roundTrips: scaled(device.roundTrips),
                downlinkBytes: scaled(device.downlinkBytes),
                uplinkBytes: scaled(device.uplinkBytes), pairs: scaled(device.pairs),
                computeSeconds: device.computeSeconds * part,
                roundTripSeconds: device.roundTripSeconds * part,
                lostFrames: device.lostFrames)
        }
        return share
    }
}
