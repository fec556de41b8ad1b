import MoEModel
import Synchronization
import SystemModel
import Tensors

/// What a benchmark's passes read and multiply, from the model's sizes and from who was chosen.
final class BenchTraffic: ExpertSelector {
    private struct Count {
        var bytes = 0
        var operations = 0
    }

    private let selector: any ExpertSelector
    private let dense: Count
    private let head: Count
    /// Per layer one expert's.
    private let experts: [Count]
    private let count = Mutex(Count())

    init(_ model: Model, _ selector: any ExpertSelector) {
        self.selector = selector
        let head = Self.count([model.transformer.head])
        let all = Self.count(model.transformer.matrices)
        self.head = head
        dense = Count(
            bytes: all.bytes - head.bytes, operations: all.operations - head.operations)
        experts = model.experts.map { Self.count($0.first?.matrices ?? []) }
    }

    /// Two operations a weight and row.
    private static func count(_ matrices: [QuantizedMatrix]) -> Count {
        matrices.reduce(into: Count()) { sum, matrix in
            sum.bytes += matrix.bytes.count
            sum.operations += 2 * matrix.rows * matrix.columns
        }
    }

    /// A pass of `rows` rows, of which `headRows` go on to the head.
    func passed(rows: Int, headRows: Int) {
        count.withLock {
            $0.bytes += dense.bytes + (headRows > 0 ? head.bytes : 0)
            $0.operations += rows * dense.operations + headRows * head.operations
        }
    }

    /// Each expert is read once, however many rows of a call visit it.
    var choosesRowByRow: Bool { selector.choosesRowByRow }

    func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
        let routing = selector.route(layer: layer, rows: rows, routerLogits: routerLogits)
        let visited = Set(routing.pairs.map(\.expert)).count
        count.withLock {
            $0.bytes += visited * experts[layer].bytes
            $0.operations += routing.pairs.count * experts[layer].operations
        }
        return routing
    }

    /// Bytes read and operations done since the last call; attention's scores are not among them.
    func take() -> (bytes: Int, operations: Int) {
        count.withLock { count in
            defer { count = Count() }
            return (count.bytes, count.operations)
        }
    }
}
