import MoEModel
import SystemModel
import Tensors
import Testing

@testable import Serving

/// What is remembered of a step in parts.
struct RoutingRecorderTests {
    /// Each row's expert is its number in the step.
    private struct OwnExpert: ExpertSelector {
        let choosesRowByRow = true

        func route(layer: Int, rows: Range<Int>, routerLogits: Matrix) -> Routing {
            Routing(
                rows: rows.count,
                pairs: rows.indices.map {
                    ExpertPair(row: $0 - rows.lowerBound, expert: $0, weight: 1)
                })
        }
    }

    private func experts(_ recorder: RoutingRecorder, _ row: Int) -> [Int] {
        recorder.visits(ofRow: row, hosts: []).flatMap { $0.map(\.expert) }
    }

    @Test func everyPartsRowsAreRemembered() {
        let recorder = RoutingRecorder(OwnExpert())
        let logits = Matrix(rows: 2, columns: 4)
        recorder.beginStep()
        _ = recorder.route(layer: 0, rows: 0..<2, routerLogits: logits)
        _ = recorder.route(layer: 0, rows: 2..<4, routerLogits: logits)
        for row in 0..<4 { #expect(experts(recorder, row) == [row]) }
        recorder.beginStep()
        _ = recorder.route(layer: 0, rows: 0..<2, routerLogits: logits)
        #expect(experts(recorder, 1) == [1])
        #expect(experts(recorder, 3).isEmpty, "the step before is forgotten")
        #expect(recorder.visits == [[2, 2, 1, 1]], "counts go on")
    }
}
