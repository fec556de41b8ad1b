import ArgumentParser
import MoEModel

/// How tokens are drawn.
struct SamplingArguments: ParsableArguments {
    @Option(help: "0 always takes the most likely token; higher is more surprising.")
    var temperature: Double = 0

    @Option(help: "Draw among the N most likely tokens; 0: among all.")
    var topK = 0

    @Option(help: "Draw among the fewest tokens that together have this probability.")
    var topP: Double = 1

    @Option(help: "Draw among tokens with at least this share of the likeliest one's probability.")
    var minP: Double = 0

    @Option(help: "Above 1: make tokens that are already in the text less likely.")
    var repetitionPenalty: Double = 1

    @Option(help: "The same seed draws the same tokens.")
    var seed: UInt64 = 0

    var options: SamplingOptions {
        var options = SamplingOptions()
        options.temperature = temperature
        options.topK = topK
        options.topP = topP
        options.minP = minP
        options.repetitionPenalty = repetitionPenalty
        options.seed = seed
        return options
    }

    func validate() throws {
        if let complaint = options.complaint { throw ValidationError(complaint) }
    }
}
