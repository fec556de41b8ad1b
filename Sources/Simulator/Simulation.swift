package import MoEModel
package import Planning
package import Scenarios

/// A text through a real model whose experts are spread over a simulated cell: quality is measured
/// by what the model then predicts, latency by the scenario's radio and compute.
package struct Simulation {
    /// What a run showed.
    package struct Result: Sendable {
        package var quality: Perplexity
        package var costs: SimulatedCosts
        package var trace: [SimulatedLayer]
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
    ///   - windows: `[windows][ids]`.
    ///   - progress: called after each window with the count done.
    /// - Complexity: one forward pass per window.
    package func run(
        _ windows: [[Int]], scenario: Scenario, planner: LayerPlanner, keepsTrace: Bool = false,
        progress: (Int, Perplexity) -> Void = { _, _ in }
    ) throws -> Result {
        let cell = SimulatedCell(scenario, planner: planner, keepsTrace: keepsTrace)
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
        return Result(quality: quality, costs: cell.costs, trace: cell.trace)
    }
}
