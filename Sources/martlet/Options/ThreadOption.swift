import ArgumentParser
import Foundation
import Tensors

/// `--threads`, for every command that computes.
struct ThreadOption: ParsableArguments {
    @Option(help: "Compute with N threads; default: one for each processor.")
    var threads: Int?

    func validate() throws {
        if let threads, !(1...ThreadPool.limit).contains(threads) {
            throw ValidationError("--threads takes 1 to \(ThreadPool.limit)")
        }
    }

    /// How many threads that is on this machine.
    var count: Int {
        threads ?? min(ThreadPool.limit, ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Sets the process's pool up; before the model computes anything.
    func apply() {
        ThreadPool.shared.use(threads: count)
    }
}
