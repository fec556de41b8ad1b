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

    func route(layer: Int, routerLogits: Matrix) -> Routing {
        let routing = selector.route(layer: layer, routerLogits: routerLogits)
        pairs.withLock { $0[layer] = routing.pairs }
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
