/// Who is there and what is where, as machines tell each other: keys with values that live as long
/// as whoever wrote them says that it does. The notions are etcd's, so that several processes can
/// share one by its API; `InProcessRegistry` is the one of a process alone.
///
/// Every change gets the next revision. A key is printable ASCII without spaces, its parts divided
/// by "/", such as "stations/127.0.0.1:7070" (`RegistryKey`).
package protocol Registry: Sendable {
    /// A lease: keys put with it go when it ends, which it does unless it is kept alive.
    ///
    /// - Parameter timeToLive: how long it lives after a sign of life (`RegistryLimits`).
    /// - Throws: `limitExceeded`.
    func grant(timeToLive: Duration) async throws(RegistryError) -> RegistryLease

    /// A sign of life: the lease has its whole time before it again.
    ///
    /// - Throws: `noLease` if it has ended.
    func keepAlive(_ lease: RegistryLease) async throws(RegistryError)

    /// Ends a lease, and deletes its keys in one change.
    ///
    /// - Throws: `noLease` if it has ended.
    func revoke(_ lease: RegistryLease) async throws(RegistryError)

    /// Writes a key.
    ///
    /// - Parameters:
    ///   - lease: the key goes with it; nil: it stays until it is deleted.
    ///   - expecting: the revision of the entry that is to be replaced; 0: there must be none;
    ///     nil: whatever is there.
    /// - Returns: the new entry's revision.
    /// - Throws: `conflict` if another entry is there than was expected, `noLease`,
    ///   `limitExceeded`, `invalid` for a key that may not be.
    @discardableResult
    func put(
        _ key: String, _ value: [UInt8], lease: RegistryLease?, expecting: Int?
    ) async throws(RegistryError) -> Int

    /// Deletes a key.
    ///
    /// - Parameter expecting: as of `put`.
    /// - Returns: whether it was there.
    /// - Throws: `conflict`.
    @discardableResult
    func delete(_ key: String, expecting: Int?) async throws(RegistryError) -> Bool

    /// What is there under a prefix.
    func entries(under prefix: String) async throws(RegistryError) -> RegistryView

    /// The changes under a prefix from a revision on, each once and in order, until the reader is
    /// cancelled. After `entries` with the revision that it gave, nothing is missed or repeated.
    ///
    /// The sequence throws `compacted` where changes that were not read yet are forgotten already:
    /// then `entries` tells what is there now.
    func updates(under prefix: String, after revision: Int) -> RegistryUpdates
}

/// A promise to be there, by the number that the registry gave it.
package struct RegistryLease: Hashable, Sendable {
    package let number: Int

    package init(number: Int) {
        self.number = number
    }
}

/// A key and what it holds.
package struct RegistryEntry: Equatable, Sendable {
    package let key: String
    package let value: [UInt8]
    /// The change by which it was written last.
    package let revision: Int
    /// What it goes with.
    package let lease: RegistryLease?
}

/// Entries at one moment.
package struct RegistryView: Equatable, Sendable {
    /// In order of keys.
    package let entries: [RegistryEntry]
    /// The last change that they show.
    package let revision: Int
}

/// What one revision changed.
package struct RegistryUpdate: Equatable, Sendable {
    /// What happened to one key.
    package enum Change: Equatable, Sendable {
        case put(RegistryEntry)
        case deleted(key: String)

        /// The key.
        package var key: String {
            switch self {
            case .put(let entry): entry.key
            case .deleted(let key): key
            }
        }
    }

    package let revision: Int
    /// In order of keys; several where a lease ended.
    package let changes: [Change]
}

/// Changes as they come. Nothing is kept for a reader: each element is asked for.
package struct RegistryUpdates: AsyncSequence, Sendable {
    package typealias Next = @Sendable (Int) async throws -> RegistryUpdate?

    private let after: Int
    private let next: Next

    /// - Parameter next: the first change after a revision, once there is one; nil if the task is
    ///   cancelled.
    package init(after revision: Int, next: @escaping Next) {
        after = revision
        self.next = next
    }

    /// How far one reader is.
    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var revision: Int
        fileprivate let following: Next

        package mutating func next() async throws -> RegistryUpdate? {
            guard let update = try await following(revision) else { return nil }
            revision = update.revision
            return update
        }
    }

    /// A reader of its own, from the same revision on.
    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(revision: after, following: next)
    }
}
