import Registries
import SystemModel
import Worker

/// The memory of a device that serves several base stations, divided by who is registered in this
/// process.
struct DeviceMemory: Sendable {
    let sharing: MemorySharing
    private let registry: InProcessRegistry
    private static let glances = Duration.milliseconds(500)

    /// - Parameters:
    ///   - shares: by base station, in bytes.
    ///   - note: tells people about a base station, by its position.
    init(
        _ stations: [Endpoint], shares: [Int], lending: LendingTime,
        note: @escaping @Sendable (Int, String) -> Void
    ) {
        registry = InProcessRegistry(clock: SystemClock())
        sharing = MemorySharing(
            zip(stations, shares).map { .init(name: $0.description, quotaBytes: $1) },
            lendAfter: lending.duration, registry: registry, clock: SystemClock(),
            report: { note($0.station, $0.line) })
    }

    /// Serves while it divides.
    func divide(_ serve: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serve() }
            group.addTask { try await sharing.run() }
            group.addTask {
                while true {
                    registry.lapse()
                    try await sharing.glance()
                    try await Task.sleep(for: Self.glances)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

extension MemoryShareState.Action {
    fileprivate var station: MemoryShareState.Station {
        switch self {
        case .offer(let station, _), .cut(let station): station
        }
    }

    /// The action as a line for standard error.
    fileprivate var line: String {
        switch self {
        case .offer(_, bytes: 0): "away; its memory is lent to the others until it is back"
        case .offer(_, let bytes): "may have \(Readable.bytes(bytes)) of memory from now on"
        case .cut: "did not let go of memory in time; what others are owed goes now"
        }
    }
}
