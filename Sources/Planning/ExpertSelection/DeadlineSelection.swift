import SystemModel

/// The earliest deadline whose dropped importance stays within a budget (methods, section 2; ours).
///
/// For a deadline τ device `k` serves at most `⌊(τ - o_k) / t_k⌋` tokens. Which visits to give up
/// is a minimum-cost flow from devices through tokens: an overloaded device drops a visit, or moves
/// it to a replica, or takes it from a token that gets another of its experts back. τ walks down
/// one visit at a time from the start selection; each step is one shortest augmenting path, so
/// every state is a cheapest one for its τ (successive shortest paths), and the walk ends where the
/// budget does. A token never loses its last expert. Replicas cost nothing, so they are used before
/// anything is dropped.
///
/// - Complexity: O(tokens · K · holders) per path round, one path per dropped or moved visit.
struct DeadlineSelection {
    private let problem: SelectionProblem
    private let budget: Double
    private var flow: VisitFlow

    init(_ problem: SelectionProblem, _ parameters: SelectionParameters) {
        self.problem = problem
        let importances = problem.ranked.indices.map {
            parameters.importances(problem, token: $0)
        }
        // The budget is a mean over tokens; the flow counts the sum.
        budget = parameters.epsilon * Double(problem.weights.count) * (1 + 1e-12)
        flow = VisitFlow(problem, importances)
    }

    consuming func solve() -> Selection {
        var best = flow
        while flow.lowerDeadline() {
            guard flow.dropped <= budget else { break }
            best = flow
        }
        return best.selection
    }
}

/// Visits and the devices that serve them, always cheapest for the current deadline.
private struct VisitFlow {
    /// One expert of a token's top K.
    private struct Visit {
        let token: Int
        let expert: Int
        let importance: Double
        /// Nil: dropped.
        var device: Int?
    }

    /// How a path reaches a place: by which visit, from where.
    private struct Arrival {
        var cost = Double.infinity
        var visit = -1
        /// The device or the token before; a token for devices that get a visit back.
        var isFromToken = false
        var from = -1
    }

    /// Rounding must not make a cycle of zero cost look profitable.
    private static let tolerance = 1e-12

    private let problem: SelectionProblem
    private var visits: [Visit]
    private var counts: [Int]
    private var keptPerToken: [Int]
    /// Sum of the dropped visits' importance.
    private(set) var dropped = 0.0

    init(_ problem: SelectionProblem, _ importances: [[Double]]) {
        self.problem = problem
        visits = problem.ranked.enumerated().flatMap { token, experts in
            zip(experts, importances[token]).map {
                Visit(
                    token: token, expert: $0, importance: $1, device: problem.holders[$0][0])
            }
        }
        keptPerToken = problem.ranked.map(\.count)
        counts = Selection(kept: problem.ranked, of: problem)
            .tokens(devices: problem.devices.count)
    }

    var selection: Selection {
        var kept = [[Int]](repeating: [], count: problem.ranked.count)
        var devices = kept
        for visit in visits {
            guard let device = visit.device else { continue }
            kept[visit.token].append(visit.expert)
            devices[visit.token].append(device)
        }
        return Selection(kept: kept, device: devices)
    }

    private func seconds(_ device: Int, _ tokens: Int) -> Double {
        problem.devices[device].seconds(tokens: tokens).value
    }

    /// Makes all devices finish earlier than the slowest does now; false where that is impossible
    /// (the state is then of no use).
    mutating func lowerDeadline() -> Bool {
        let deadline = counts.indices.map { seconds($0, counts[$0]) }.max() ?? 0
        guard deadline > 0 else { return false }
        for device in counts.indices {
            while counts[device] > 0, seconds(device, counts[device]) >= deadline {
                guard relieve(device, deadline: deadline) else { return false }
            }
        }
        return true
    }

    /// Takes one visit off `device` along the cheapest path.
    private mutating func relieve(_ device: Int, deadline: Double) -> Bool {
        let (devices, tokens) = distances(from: device)
        var end: (cost: Double, isToken: Bool, index: Int)?
        for (token, arrival) in tokens.enumerated()
        where keptPerToken[token] > 1 && arrival.cost < end?.cost ?? .infinity {
            end = (arrival.cost, true, token)
        }
        for (other, arrival) in devices.enumerated()
        where other != device && seconds(other, counts[other] + 1) < deadline
            && arrival.cost <= end?.cost ?? .infinity && arrival.cost < .infinity
        {
            end = (arrival.cost, false, other)
        }
        guard let end else { return false }
        dropped += end.cost
        if end.isToken { keptPerToken[end.index] -= 1 } else { counts[end.index] += 1 }
        counts[device] -= 1
        follow(from: (end.isToken, end.index), devices, tokens)
        return true
    }

    /// Cheapest ways (Bellman and Ford) from an overloaded device to all devices and tokens.
    private func distances(from source: Int) -> (devices: [Arrival], tokens: [Arrival]) {
        var devices = [Arrival](repeating: Arrival(), count: counts.count)
        var tokens = [Arrival](repeating: Arrival(), count: keptPerToken.count)
        devices[source].cost = 0
        var changed = true
        var rounds = 0
        while changed, rounds <= devices.count + tokens.count {
            changed = false
            rounds += 1
            for (index, visit) in visits.enumerated() {
                let holders = problem.holders[visit.expert]
                if let device = visit.device {
                    let cost = devices[device].cost
                    guard cost < .infinity else { continue }
                    if cost + visit.importance < tokens[visit.token].cost - Self.tolerance {
                        tokens[visit.token] = Arrival(
                            cost: cost + visit.importance, visit: index, from: device)
                        changed = true
                    }
                    for other in holders where cost < devices[other].cost - Self.tolerance {
                        devices[other] = Arrival(cost: cost, visit: index, from: device)
                        changed = true
                    }
                } else {
                    let cost = tokens[visit.token].cost - visit.importance
                    guard cost < .infinity else { continue }
                    for other in holders where cost < devices[other].cost - Self.tolerance {
                        devices[other] = Arrival(
                            cost: cost, visit: index, isFromToken: true, from: visit.token)
                        changed = true
                    }
                }
            }
        }
        return (devices, tokens)
    }

    /// Applies a path, from its end back to where it began.
    private mutating func follow(
        from end: (isToken: Bool, index: Int), _ devices: [Arrival], _ tokens: [Arrival]
    ) {
        var (isToken, index) = end
        while true {
            let arrival = isToken ? tokens[index] : devices[index]
            guard arrival.visit >= 0 else { return }
            visits[arrival.visit].device = isToken ? nil : index
            (isToken, index) = (arrival.isFromToken, arrival.from)
        }
    }
}
