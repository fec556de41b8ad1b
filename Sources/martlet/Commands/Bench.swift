import ArgumentParser

struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure speed: of a model, or of the hop to a device.",
        subcommands: [BenchModel.self, BenchHop.self], defaultSubcommand: BenchModel.self)
}
