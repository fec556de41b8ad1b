import MoEModel
import Synchronization
import SystemModel
import Tensors

/// Chooses as another selector does and remembers the last step's choices.
final class RoutingRecorder: ExpertSelector {
    private let selector: any ExpertSelector
    /// By layer the pairs of the last step, ascending by row.
    private let pairs = Mutex<[Int: [ExpertPair]]>([:])

    init(_ selector: any ExpertSelector) { self.selector = selector }

    var choosesRowByRow: Bool { selector.choosesRowByRow }

    func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
        let routing = selector.route(layer: layer, rows: rows, routerLogits: routerLogits)
        let first = rows.lowerBound
        pairs.withLock { pairs in
            guard first > 0 else { return pairs[layer] = routing.pairs }
            pairs[layer, default: []] += routing.pairs.map {
                ExpertPair(row: first + $0.row, expert: $0.expert, weight: $0.weight)
            }
        }
        return routing
    }

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
