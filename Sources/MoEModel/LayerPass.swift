import Tensors

/// Takes the parts of a step through layers.
struct LayerPass {
    let layers: [TransformerLayer]
    let selector: any ExpertSelector
    let experts: any ExpertExecutor
    let timer: PhaseTimer?

    /// Each part through a layer before the next part, and all through it before the next layer.
    ///
    /// - Parameters:
    ///   - range: which layers; nothing is under way before or after them.
    ///   - parts: in the order of their rows.
    /// - Throws: what the experts throw.
    func run(_ range: Range<Int>, _ parts: inout [StepPart]) throws {
        for index in range {
            for part in parts.indices {
                try takeMixture(&parts[part])
                try begin(index, &parts[part])
            }
        }
        for part in parts.indices { try takeMixture(&parts[part]) }
    }

    /// A part through a layer, up to what is waited for.
    private func begin(_ index: Int, _ part: inout StepPart) throws {
        layers[index].attend(&part.hidden, layer: index, rows: part.rows)
        timer?.mark(.attention)
        try beginFeedForward(index, &part)
    }

    private func takeMixture(_ part: inout StepPart) throws {
        try part.takeMixture()
        timer?.mark(.experts)
    }

    /// A layer after its attention: adds what is computed here, and begins the mixture.
    private func beginFeedForward(_ index: Int, _ part: inout StepPart) throws {
        defer { timer?.mark(.experts) }
        let layer = layers[index]
        let inputs = layer.normalized(part.hidden)
        switch layer.feedForward {
        case .dense(let expert):
            part.hidden.add(expert.output(Activations(inputs)))
        case .mixture(let router):
            if let shared = layer.sharedExpert {
                part.hidden.add(shared.output(Activations(inputs)))
                timer?.mark(.experts)
            }
            let routing = selector.route(
                layer: index, rows: part.range, routerLogits: router.logits(inputs))
            timer?.mark(.router)
            part.mixture = try experts.begin(layer: index, inputs: inputs, routing: routing)
        }
    }
}
