import MoEModel
import Synchronization
import SystemModel
import Tensors

/// Chooses as another selector does, remembers the last step's choices and counts all.
final class RoutingRecorder: ExpertSelector {
    private let selector: any ExpertSelector
    /// By layer the pairs of the last step, part after part.
    private let pairs = Mutex<[Int: [ExpertPair]]>([:])
    /// `[layer][expert]`: pairs so far, as far as layers and experts were visited.
    private let counts = Mutex<[[Int]]>([])

    init(_ selector: any ExpertSelector) { self.selector = selector }

    var choosesRowByRow: Bool { selector.choosesRowByRow }

    /// Forgets the choices of the step before.
    func beginStep() { pairs.withLock { $0 = [:] } }

    func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
        let routing = selector.route(layer: layer, rows: rows, routerLogits: routerLogits)
        remember(routing, layer: layer, firstRow: rows.lowerBound)
        count(routing, layer: layer)
        return routing
    }

    private func remember(_ routing: Routing, layer: Int, firstRow: Int) {
        pairs.withLock { pairs in
            pairs[layer, default: []] += routing.pairs.map {
                ExpertPair(row: firstRow + $0.row, expert: $0.expert, weight: $0.weight)
            }
        }
    }

    private func count(_ routing: Routing, layer: Int) {
        counts.withLock { counts in
            while counts.count <= layer { counts.append([]) }
            for pair in routing.pairs {
                let missing = pair.expert + 1 - counts[layer].count
                if missing > 0 { counts[layer] += Array(repeating: 0, count: missing) }
                counts[layer][pair.expert] += 1
            }
        }
    }

    /// `[layer][expert]`: pairs of a token and an expert so far; shorter where what would follow
    /// was never visited. May be asked for while a step runs.
    var visits: [[Int]] { counts.withLock { $0 } }

    /// By layer the experts of one of the last step's rows, ascending.
    ///
    /// - Parameter hosts: where that step's experts were computed, as in its cost record.
    func visits(ofRow row: Int, hosts: [[String?]]) -> [[ExpertVisit]] {
        pairs.withLock { pairs in
            (0...(pairs.keys.max() ?? 0)).map { layer in
                let devices = layer < hosts.count ? hosts[layer] : []
                return (pairs[layer] ?? []).filter { $0.row == row }.map { pair in
                    ExpertVisit(
                        expert: pair.expert,
                        device: pair.expert < devices.count ? devices[pair.expert] : nil)
                }
            }
        }
    }
}
