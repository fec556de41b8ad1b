import Foundation
import SystemModel
import Tensors

/// What this machine's memory and arithmetic can do at most, with the pool's threads.
struct MachineRoof: Encodable {
    /// Reading memory in ordinary pages, as a mapped file's.
    let mappedGigabytesPerSecond: Double
    /// Reading memory in huge pages.
    let hugePageGigabytesPerSecond: Double
    /// Multiplying and adding bytes in registers.
    let gigaoperationsPerSecond: Double

    /// More than caches hold.
    private static let bytes = 256 << 20

    /// - Complexity: under a second; takes 256 MiB meanwhile.
    static func measure() throws -> MachineRoof {
        MachineRoof(
            mappedGigabytesPerSecond: try reading(hugePages: false),
            hugePageGigabytesPerSecond: try reading(hugePages: true),
            gigaoperationsPerSecond: best { Roof.multiply() })
    }

    private static func reading(hugePages: Bool) throws -> Double {
        do {
            let roof = try Roof(bytes: bytes, hugePages: hugePages)
            return best { roof.read() }
        } catch {
            throw CommandError("measuring the roof: no memory for \(error.bytes) bytes")
        }
    }

    /// The best of some runs of what `work` counts, in billions a second.
    private static func best(_ work: () -> Int) -> Double {
        let clock = SystemClock()
        return (0..<7).map { _ in
            let start = clock.now
            let count = work()
            return Double(count) / (clock.now - start).seconds / 1e9
        }.max() ?? 0
    }

    /// One line for people.
    var line: String {
        String(
            format: "roof: reads %.1f GB/s mapped, %.1f GB/s in huge pages; %.0f GOP/s on bytes",
            mappedGigabytesPerSecond, hugePageGigabytesPerSecond, gigaoperationsPerSecond)
    }
}
