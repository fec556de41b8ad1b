import CKernels

/// Work that is nothing but reading, or nothing but multiplying: the machine's ceilings, against
/// which a model's speed is held.
package struct Roof {
    /// What is read: larger than every cache.
    private let memory: WeightBytes

    /// - Parameter hugePages: memory in pages of 2 MiB where the system has them, else in ordinary
    ///   ones, as a mapped file's.
    /// - Throws: `HugePageError` if there is no memory.
    /// - Complexity: writes `bytes` once.
    package init(bytes: Int, hugePages: Bool) throws(HugePageError) {
        memory =
            hugePages
            ? try HugePages().bytes(bytes) {
                $0.initializeMemory(as: UInt8.self, repeating: 1, count: bytes)
            } : WeightBytes([UInt8](repeating: 1, count: bytes))
    }

    /// Reads all of it once, on the pool's threads. Returns the bytes read.
    package func read() -> Int {
        let parts = 16 * ThreadPool.shared.threads
        let size = memory.count / parts
        ThreadPool.shared.run(parts) { part in
            memory.slice(part * size..<(part + 1) * size).withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                keep(martlet_read(start, bytes.count))
            }
        }
        return parts * size
    }

    /// Multiplies and adds bytes in registers, on the pool's threads, by the fastest instructions
    /// that products use here. Returns how many operations those were.
    package static func multiply() -> Int {
        let parts = 16 * ThreadPool.shared.threads
        let rounds = 1 << 18
        var sum: Int32 = 0
        let operations = Kernels.detected.table.pointee.multiply_ceiling(1, &sum) * rounds
        ThreadPool.shared.run(parts) { _ in
            var sum: Int32 = 0
            _ = Kernels.detected.table.pointee.multiply_ceiling(rounds, &sum)
            keep(UInt64(truncatingIfNeeded: sum))
        }
        return parts * operations
    }
}

/// Takes a result that nobody needs, so that the compiler does not drop what led to it.
@inline(never)
private func keep(_ value: UInt64) {
    withExtendedLifetime(value) {}
}
