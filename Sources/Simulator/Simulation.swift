package import MoEModel
package import Planning
package import Scenarios
package import SystemModel

/// A text through a real model whose experts are spread over a simulated cell: quality is measured
/// by what the model then predicts, latency by the scenario's radio and compute.
package struct Simulation {
    /// What a run showed.
    package struct Result: Sendable {
        package var quality: Perplexity
        package var costs: SimulatedCosts
        package var trace: [SimulatedLayer]
    }

    /// How the ids of a window meet the model.
    package enum Step: Sendable, Equatable {
        /// A window at once, under one channel draw.
        case prefill
        /// Token by token, as many windows side by side; each step has a draw of its own.
        case decode(batch: Int)
    }

    private let model: Model
    private let experts: ExpertsConfiguration

    /// - Precondition: the model has experts.
    package init(_ model: Model) {
        guard let experts = model.configuration.experts else {
            preconditionFailure("a dense model has nothing to spread")
        }
        self.model = model
        self.experts = experts
    }

    /// Runs windows of ids, each a sequence of its own under its own channel draw.
    ///
    /// - Parameters:
    ///   - windows: `[windows][ids]`, of one length.
    ///   - step: how they are run.
    ///   - reportInterval: as in `SimulatedCell`.
    ///   - progress: called after each window with the count done.
    /// - Complexity: one forward pass per window.
    package func run(
        _ windows: [[Int]], scenario: Scenario, planner: LayerPlanner, step: Step = .prefill,
        reportInterval: Seconds = .zero, keepsTrace: Bool = false,
        progress: (Int, Perplexity) -> Void = { _, _ in }
    ) throws -> Result {
        let cell = SimulatedCell(
            scenario, planner: planner, keepsTrace: keepsTrace, reportInterval: reportInterval)
        let quality: Perplexity
        switch step {
        case .prefill: quality = try prefill(windows, cell, progress)
        case .decode(let batch): quality = try decode(windows, batch, cell)
        }
        return Result(quality: quality, costs: cell.costs, trace: cell.trace)
    }

    private func prefill(
        _ windows: [[Int]], _ cell: SimulatedCell, _ progress: (Int, Perplexity) -> Void
    ) throws -> Perplexity {
        let selector = cell.selector(experts)
        let executor = LocalExperts(layers: model.experts)
        var quality = Perplexity()
        for (number, ids) in windows.enumerated() {
            cell.begin(window: number)
            var cache = KeyValuePool(model.transformer).makeCache()
            let logits = try model.transformer.forward(
                ids, cache: &cache, rows: .all, selector: selector, experts: executor)
            quality.score(ids: ids, logits: logits, from: 1)
            progress(number + 1, quality)
        }
        return quality
    }

    /// Windows that fill no batch are left out.
    private func decode(
        _ windows: [[Int]], _ batch: Int, _ cell: SimulatedCell
    ) throws -> Perplexity {
        let selector = cell.selector(experts)
        let executor = LocalExperts(layers: model.experts)
        let pool = KeyValuePool(model.transformer)
        var quality = Perplexity()
        var draw = 0
        for first in stride(from: 0, through: windows.count - batch, by: batch) {
            let texts = windows[first..<first + batch]
            var caches = texts.map { _ in pool.makeCache() }
            for position in 0..<(texts.map(\.count).min() ?? 0) - 1 {
                cell.begin(window: draw)
                draw += 1
                var steps = zip(texts, caches).map {
                    SequenceStep(ids: [$0[position]], cache: $1, rows: .last)
                }
                caches = []
                let logits = try model.transformer.forward(
                    &steps, selector: selector, experts: executor)
                caches = steps.map(\.cache)
                for (text, logits) in zip(texts, logits) {
                    quality.score(
                        ids: Array(text[position...position + 1]), logits: logits, from: 1)
                }
            }
        }
        return quality
    }
}
