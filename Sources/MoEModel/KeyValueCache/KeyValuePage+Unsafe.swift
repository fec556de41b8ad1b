import Tensors

/// The memory of one page: `KeyValueTile.positions` positions of a sequence, all layers.
///
/// Sequences that begin alike share their full pages; Swift's reference count is the page's. Only a
/// page's single owner writes to it (`KeyValueCache.reserve`), which makes it `Sendable`.
final class KeyValuePage: @unchecked Sendable {
    private let memory: KeyValuePool.Memory
    private let pool: KeyValuePool

    init(_ memory: KeyValuePool.Memory, of pool: KeyValuePool) {
        self.memory = memory
        self.pool = pool
    }

    deinit { pool.takeBack(memory) }

    var address: UnsafeRawPointer { UnsafeRawPointer(memory.start) }
    var mutableAddress: UnsafeMutableRawPointer { memory.start }

    /// Overwrites this page by `other`, of the same pool.
    func copy(_ other: KeyValuePage) {
        memory.start.copyMemory(from: other.address, byteCount: pool.pageBytes)
    }
}

extension KeyValuePool {
    /// A page's bytes, which nobody or one page owns.
    struct Memory: @unchecked Sendable {
        let start: UnsafeMutableRawPointer

        /// Zeros, so that even what no position was written to is a number.
        static func allocate(_ byteCount: Int) -> Memory {
            let start = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            start.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            return Memory(start: start)
        }

        func free() { start.deallocate() }
    }
}
