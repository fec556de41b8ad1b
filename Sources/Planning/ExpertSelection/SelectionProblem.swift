package import SystemModel

/// Which experts a batch of tokens could visit in one layer, and what visiting costs.
package struct SelectionProblem: Sendable, Equatable {
    /// `K`, experts per token of the model itself.
    package let perToken: Int
    /// `[tokens][experts]`: the router's softmax over all experts.
    package let weights: [[Double]]
    /// `o_k` and `t_k`, `[devices]`.
    package let devices: [DeviceLatency]
    /// `[experts]`: the devices that hold the expert, at least one, the usual one first.
    package let holders: [[Int]]
    /// `[tokens][perToken]`: the model's own choice, best first.
    package let ranked: [[Int]]

    /// - Parameter ranked: the model's own choice; nil for the largest weights (of equal weights
    ///   the lower expert wins).
    /// - Precondition: rows of one length, `1...experts` per token, holders that exist, positive
    ///   token times.
    package init(
        perToken: Int, weights: [[Double]], devices: [DeviceLatency], holders: [[Int]]? = nil,
        ranked: [[Int]]? = nil
    ) {
        let experts = weights.first?.count ?? devices.count
        let holders = holders ?? (0..<experts).map { [$0] }
        precondition(
            weights.allSatisfy { $0.count == experts } && holders.count == experts,
            "one weight and one list of holders per expert")
        precondition((1...max(experts, 1)).contains(perToken), "a token visits 1...experts")
        precondition(
            holders.allSatisfy { !$0.isEmpty && $0.allSatisfy(devices.indices.contains) },
            "every expert is on a device")
        precondition(devices.allSatisfy { $0.token.value > 0 }, "a token takes time")
        self.perToken = perToken
        self.weights = weights
        self.devices = devices
        self.holders = holders
        self.ranked = ranked ?? weights.map { Self.largest(perToken, of: $0) }
    }

    /// The time of one token at the expert's usual device, s.
    func tokenSeconds(_ expert: Int) -> Double {
        devices[holders[expert][0]].token.value
    }

    /// The top-K weights scaled to sum to 1, `[perToken]`, best first.
    func shares(_ token: Int) -> [Double] {
        let chosen = ranked[token].map { weights[token][$0] }
        let sum = chosen.reduce(0, +)
        return chosen.map { sum > 0 ? $0 / sum : 1 / Double(chosen.count) }
    }

    /// Positions of the largest values, largest first.
    private static func largest(_ count: Int, of values: [Double]) -> [Int] {
        let order = values.indices.sorted {
            values[$0] > values[$1] || (values[$0] == values[$1] && $0 < $1)
        }
        return Array(order.prefix(count))
    }
}

/// The experts that each token visits, and where.
package struct Selection: Sendable, Equatable {
    /// `[tokens][kept]`, best first; at least one.
    package var kept: [[Int]]
    /// `[tokens][kept]`: where each is computed.
    package var device: [[Int]]

    /// - Precondition: one device per kept expert, at least one expert per token.
    package init(kept: [[Int]], device: [[Int]]) {
        precondition(
            kept.count == device.count && zip(kept, device).allSatisfy { $0.count == $1.count },
            "one device per kept expert")
        precondition(kept.allSatisfy { !$0.isEmpty }, "a token keeps at least one expert")
        self.kept = kept
        self.device = device
    }

    /// Every expert at its usual device.
    init(kept: [[Int]], of problem: SelectionProblem) {
        self.init(kept: kept, device: kept.map { $0.map { problem.holders[$0][0] } })
    }

    /// Tokens sent to each device, `[devices]`.
    package func tokens(devices: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: devices)
        for token in device { for device in token { counts[device] += 1 } }
        return counts
    }
}

/// What a selection means for its problem.
extension SelectionProblem {
    /// The kept experts' weights scaled to sum to 1, `[tokens][kept]` (Algorithm 1, step 4).
    package func renormalised(_ selection: Selection) -> [[Double]] {
        zip(weights, selection.kept).map { row, kept in
            let sum = kept.reduce(0) { $0 + row[$1] }
            return kept.map { sum > 0 ? row[$0] / sum : 1 / Double(kept.count) }
        }
    }

    /// `max_k T_k`, s.
    package func seconds(_ selection: Selection) -> Double {
        LatencyModel(devices: devices)
            .layerSeconds(tokens: selection.tokens(devices: devices.count)).value
    }

    /// The weight-to-latency ratio [paper]: the mean over tokens of the mean over kept experts of
    /// `w / t`, with the router's own weights. In 1/s.
    package func weightLatencyRatio(_ selection: Selection) -> Double {
        guard !weights.isEmpty else { return 0 }
        let sum = selection.kept.indices.reduce(0.0) { sum, token in
            let kept = selection.kept[token]
            let ratios = zip(kept, selection.device[token]).reduce(0.0) {
                $0 + weights[token][$1.0] / devices[$1.1].token.value
            }
            return sum + ratios / Double(kept.count)
        }
        return sum / Double(weights.count)
    }

    /// The mean over tokens of the share of the top-K experts' weight that was dropped, 0...1.
    package func droppedMass(_ selection: Selection) -> Double {
        guard !weights.isEmpty else { return 0 }
        let sum = ranked.indices.reduce(0.0) { sum, token in
            zip(ranked[token], shares(token)).reduce(sum) {
                $0 + (selection.kept[token].contains($1.0) ? 0 : $1.1)
            }
        }
        return sum / Double(weights.count)
    }
}
