import ArgumentParser
import Foundation
import SystemModel
import Worker

/// A device that takes the time of another one.
struct EmulationOptions: ParsableArguments {
    /// Hidden size and inner size of one expert.
    struct Shape: ExpressibleByArgument {
        let hidden: Int
        let inner: Int

        init?(argument: String) {
            let sizes = argument.split(separator: "x").map { Int($0) ?? 0 }
            guard sizes.count == 2, sizes.allSatisfy({ 1...(1 << 20) ~= $0 }) else { return nil }
            (hidden, inner) = (sizes[0], sizes[1])
        }
    }

    @Option(
        help: """
            Take the time that an expert takes at this many operations per second, such as 2e12, \
            by waiting; answers stay the same.
            """)
    var emulateFlops: Double?

    @Option(help: "Hidden and inner size of the emulated expert; default: 4096x14336.")
    var emulateShape: Shape?

    func validate() throws {
        if let emulateFlops, !(emulateFlops >= 1e6 && emulateFlops <= 1e18) {
            throw ValidationError("--emulate-flops takes 1e6 to 1e18 operations per second")
        }
        if emulateShape != nil && emulateFlops == nil {
            throw ValidationError("--emulate-shape needs --emulate-flops")
        }
        if let pairSeconds, pairSeconds > 60 {
            throw ValidationError("--emulate-flops: a visit would take more than 60 s")
        }
    }

    /// Time of a token at one expert.
    private var pairSeconds: Double? {
        emulateFlops.map { speed in
            let workload = ExpertWorkload(
                hidden: emulateShape?.hidden ?? 4096, expertInner: emulateShape?.inner ?? 14336,
                bitsPerElement: 16)
            return (workload.compute / OperationsPerSecond(speed)).value
        }
    }

    var pace: ExpertComputer.Pace? {
        pairSeconds.map {
            ExpertComputer.Pace(pairSeconds: $0) { Thread.sleep(forTimeInterval: $0.seconds) }
        }
    }

    /// Announces the emulated speed. Two operations are one weight, taken as a byte.
    func describe(_ device: inout DeviceDescription) {
        guard let emulateFlops else { return }
        device.pairSeconds = pairSeconds
        device.gigaflopsPerSecond = min(emulateFlops * 1e-9, 1e9)
        device.memoryGigabytesPerSecond = min(emulateFlops * 0.5e-9, 1e9)
    }
}
