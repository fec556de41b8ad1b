import ArgumentParser
import Tensors

struct BenchRoof: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roof",
        abstract: "Measure what this machine's memory and arithmetic can do at most.",
        discussion: """
            Decoding reads every weight that a token needs once, so memory bounds it; a long \
            prompt multiplies each weight with many rows, so arithmetic does. `martlet bench` \
            prints what a model reaches of both.
            """)

    @OptionGroup var threads: ThreadOption

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        threads.apply()
        let roof = try MachineRoof.measure()
        if json { return try Output.json(roof) }
        Output.line("\(roof.line), \(ThreadPool.shared.threads) threads")
    }
}
