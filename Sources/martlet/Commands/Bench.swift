import ArgumentParser

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Measure speed: of a model, of the machine, or of the hop to a device; and foresight.",
        subcommands: [
            BenchModel.self, BenchRoof.self, BenchHop.self, BenchPrediction.self,
        ],
        defaultSubcommand: BenchModel.self)
}
