import ArgumentParser
import Foundation
import Tensors

/// The command line: the only place that wires the parts together.
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Serves Mixture-of-Experts language models from many small machines.",
        discussion: """
            A base station runs attention, router and head; devices hold and compute the experts.

            On one machine:
              martlet generate --model Models/demo-mixtral-q8_0.gguf --prompt "Once upon a time"

            Over devices, each in its own terminal or on its own machine:
              martlet serve --model MODEL.gguf --devices-listen 127.0.0.1:7070
              martlet join 127.0.0.1:7070 --memory 2GiB
            """,
        version: "0.1.0",
        subcommands: [
            Generate.self, Serve.self, Status.self, Keys.self, Config.self, Join.self, Logits.self,
            PerplexityCommand.self,
            Chat.self, Template.self, Tokenize.self, Detokenize.self, Inspect.self,
            Quantize.self, Fuzz.self, Bench.self, Demo.self, Plan.self,
            Simulate.self, Calibrate.self, CellCommand.self,
        ])
}

@main
enum Program {
    /// Bytes of freed memory that are kept: more than the matrices of a layer of a long prompt.
    private static let freedMemory = 128 << 20

    /// Runs the command; for `serve` with what its file and the environment add.
    static func main() async {
        keepFreedMemory(bytes: freedMemory)
        do {
            var arguments = Array(CommandLine.arguments.dropFirst())
            if arguments.first == "serve", !arguments.contains("--help"), !arguments.contains("-h")
            {
                let line = try ServeCommandLine(
                    Array(arguments.dropFirst()),
                    environment: ProcessInfo.processInfo.environment)
                arguments = ["serve"] + line.arguments
            }
            await Martlet.main(arguments)
        } catch {
            Martlet.exit(withError: error)
        }
    }
}
