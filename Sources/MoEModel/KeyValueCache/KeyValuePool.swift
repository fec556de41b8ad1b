import Synchronization
package import Tensors

/// Hands out the pages of all sequences' keys and values, under a limit of memory.
///
/// Freed pages are kept for the next sequence. Safe to use from any thread.
package final class KeyValuePool: Sendable {
    /// What the pages take.
    package struct Usage: Sendable, Equatable {
        /// Pages that sequences hold; a shared page counts once.
        package let pagesInUse: Int
        /// Their size in bytes.
        package let bytesInUse: Int
        /// Size of all pages, those kept for reuse included, in bytes.
        package let bytesHeld: Int
        /// Most bytes that pages may take.
        package let bytesLimit: Int
    }

    private struct State {
        var pagesInUse = 0
        var free: [Memory] = []
    }

    let layout: KeyValueLayout
    /// Most bytes that pages may take.
    package let bytesLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - precision: of keys and values; nil takes what suits the model
    ///     (`Transformer.keyValuePrecision`).
    ///   - bytesLimit: most bytes that pages may take; nil for no limit.
    package init(
        _ transformer: Transformer, precision: KeyValuePrecision? = nil, bytesLimit: Int? = nil
    ) {
        layout = KeyValueLayout(
            transformer.configuration, precision ?? transformer.keyValuePrecision)
        self.bytesLimit = bytesLimit ?? .max
    }

    deinit { state.withLock { $0.free.forEach { $0.free() } } }

    /// Size of a page in bytes: `KeyValueTile.positions` positions, all layers.
    package var pageBytes: Int { layout.pageBytes }

    /// Positions of a page.
    package static let pagePositions = KeyValueTile.positions

    /// Most pages that fit under the limit.
    package var pagesLimit: Int { bytesLimit / pageBytes }

    package var usage: Usage {
        state.withLock { state in
            Usage(
                pagesInUse: state.pagesInUse, bytesInUse: state.pagesInUse * pageBytes,
                bytesHeld: (state.pagesInUse + state.free.count) * pageBytes,
                bytesLimit: bytesLimit)
        }
    }

    /// An empty cache for a new sequence.
    package func makeCache() -> KeyValueCache { KeyValueCache(pool: self) }

    /// A page with unknown contents.
    ///
    /// - Throws: `KeyValueCacheError` if the limit is reached.
    func page() throws(KeyValueCacheError) -> KeyValuePage {
        let memory: Memory? = state.withLock { state in
            guard state.pagesInUse < pagesLimit else { return nil }
            state.pagesInUse += 1
            return state.free.popLast() ?? Memory.allocate(pageBytes)
        }
        guard let memory else {
            throw KeyValueCacheError(pageBytes: pageBytes, bytesLimit: bytesLimit)
        }
        return KeyValuePage(memory, of: self)
    }

    /// Keeps the memory of a page that nobody holds any more.
    func takeBack(_ memory: Memory) {
        state.withLock { state in
            state.pagesInUse -= 1
            state.free.append(memory)
        }
    }
}

/// No page is left. The caches are as they were before the step, and can be used once others free
/// pages.
package struct KeyValueCacheError: Error, Equatable, CustomStringConvertible {
    /// Size of a page in bytes.
    package let pageBytes: Int
    /// The limit, in bytes.
    package let bytesLimit: Int

    package var description: String {
        "the KV cache is full: pages of \(pageBytes) bytes for \(KeyValuePool.pagePositions) "
            + "positions fill its \(bytesLimit) bytes; wait, shorten the text or raise the limit"
    }
}
