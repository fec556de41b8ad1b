import APIServer
import Coordinator
import Foundation
import Synchronization
import SystemModel
import Wire

/// Remembers what happened to a base station's devices, and tells how they are.
final class CellObserver: Sendable {
    /// Most events kept, and most devices that are gone.
    private static let (eventsLimit, lostLimit) = (100, 16)
    /// A device that leaves a ping unanswered for longer is late.
    private static let patience = Duration.seconds(3)

    private struct State {
        var events: [CellSnapshot.Event] = []
        var lastNumber = 0
        /// Those that are gone, latest last, as they were.
        var lost: [CellSnapshot.Device] = []
        /// As the last look saw them.
        var present: [CellSnapshot.Device] = []
        var placement: Placement?
        /// By slot, who held it last.
        var holders: [Int: String] = [:]
        var plans = PlanHistory()
    }

    private let state = Mutex(State())

    /// Takes what the coordinator reports.
    func note(_ report: Coordinator.Report) {
        guard let kind = report.kind else { return }
        let time = Int(Date().timeIntervalSince1970)
        state.withLock { state in
            state.lastNumber += 1
            state.events.append(
                CellSnapshot.Event(
                    number: state.lastNumber, unixTime: time, kind: kind, text: report.line))
            if state.events.count > Self.eventsLimit { state.events.removeFirst() }
            switch report {
            case .joined(let device, _): state.lost.removeAll { $0.name == device.name }
            case .left(let name, let reason): Self.lose(name, reason, &state)
            default: break
            }
        }
    }

    /// The cell of one machine: all experts at the base station.
    static func alone(_ shape: ModelShape) -> CellSnapshot {
        var snapshot = CellSnapshot()
        snapshot.places.homes = homes(Placement(baseStationOnly: shape), shape, [:])
        return snapshot
    }

    /// How the cell is now.
    func look(at coordinator: Coordinator, _ shape: ModelShape) -> CellSnapshot {
        let membership = coordinator.membership
        let links = coordinator.links.all
        let now = SystemClock().now
        let unixTime = Int(Date().timeIntervalSince1970)
        let members = membership.members.values.sorted {
            ($0.slot ?? .max, $0.description.name) < ($1.slot ?? .max, $1.description.name)
        }
        var snapshot = CellSnapshot()
        let rowBits = 2 * 8 * coordinator.options.codec.byteCount(rows: 1, columns: shape.hidden)
        let measured = coordinator.latencies.devices
        snapshot.links = Dictionary(
            uniqueKeysWithValues: links.map { name, record in
                (name, CellSnapshot.Link(record, measured[name], rowBits: Double(rowBits)))
            })
        return state.withLock { state in
            state.present = members.map { member in
                let silence = links[member.description.name]?.unansweredSince.map { now - $0 }
                return CellSnapshot.Device(
                    member, membership.placement, shape,
                    isSilent: silence ?? .zero > Self.patience)
            }
            if state.placement != membership.placement {
                state.placement = membership.placement
                state.holders = [:]
            }
            for member in members {
                if let slot = member.slot { state.holders[slot] = member.description.name }
            }
            snapshot.devices = state.present + state.lost.reversed()
            snapshot.places = Self.places(membership, shape, state.holders)
            snapshot.plan = state.plans.look(
                at: membership, live: coordinator.placementOutlook.plan, unixTime: unixTime)
            snapshot.events = state.events
            return snapshot
        }
    }

    private static func places(
        _ membership: MembershipState, _ shape: ModelShape, _ holders: [Int: String]
    ) -> ExpertPlaces {
        var places = ExpertPlaces()
        places.homes = homes(membership.placement, shape, holders)
        places.resident = membership.content.resident
        for member in membership.members.values {
            let copies = member.assigned.filter { membership.placement.slot(of: $0) != member.slot }
            if !copies.isEmpty { places.copies[member.description.name] = copies }
        }
        return places
    }

    private static func homes(
        _ placement: Placement, _ shape: ModelShape, _ holders: [Int: String]
    ) -> [[String?]] {
        placement.slots.enumerated().map { layer, experts in
            guard shape.expertBytes[layer] > 0 else { return [] }
            return experts.map { slot in slot.flatMap { holders[$0] } }
        }
    }

    private static func lose(_ name: String, _ reason: String, _ state: inout State) {
        var device = state.present.first { $0.name == name } ?? CellSnapshot.Device(name: name)
        (device.state, device.reason) = (.lost, reason)
        state.present.removeAll { $0.name == name }
        state.lost.removeAll { $0.name == name }
        state.lost.append(device)
        if state.lost.count > lostLimit { state.lost.removeFirst() }
    }
}

extension Coordinator.Report {
    /// What kind of event a dashboard shows it as; nil for what its views show anyway.
    fileprivate var kind: CellSnapshot.Event.Kind? {
        switch self {
        case .joined: .joined
        case .loaded(_, let ready, let count, _, _): ready == count ? .ready : nil
        case .left: .lost
        case .late: .late
        case .refused: .refused
        case .planning, .offered, .stored: nil
        case .adopted, .kept: .planned
        }
    }
}

extension CellSnapshot.Device {
    fileprivate init(
        _ member: MembershipState.Member, _ placement: Placement, _ shape: ModelShape,
        isSilent: Bool
    ) {
        self.init(name: member.description.name)
        // What a smaller offer has cut off is nobody's to wait for.
        let own = member.assigned.filter { placement.slot(of: $0) == member.slot }
        // Copies of others' experts count as experts, but nothing waits for them.
        experts = member.assigned.count
        readyExperts = member.ready.count
        assignedBytes = member.assigned.reduce(0) { $0 + shape.expertBytes[$1.layer] }
        readyBytes = member.ready.reduce(0) { $0 + shape.expertBytes[$1.layer] }
        isFar = member.description.isCloud
        if member.isLate || isSilent {
            state = .late
        } else if experts == 0 {
            state = .spare
        } else {
            state = own.allSatisfy(member.ready.contains) ? .ready : .loading
        }
        memoryBytes = member.description.memoryBytes
        cores = member.description.cores
        instructionSet = member.description.instructionSet
        memoryGigabytesPerSecond = member.description.memoryGigabytesPerSecond
        shippedBytes = member.bytesFetched
        cachedBytes = member.bytesFromCache
        diskBytes = member.description.diskBytes ?? 0
        keptExperts = member.kept.count
        keptBytes = member.bytesKept
    }
}

extension CellSnapshot.Link {
    /// - Parameter rowBits: what a row of activations takes, there and back.
    fileprivate init(
        _ record: LinkRecords.Record, _ measured: LatencyEstimator.Estimate?, rowBits: Double
    ) {
        self.init()
        messageSeconds = measured?.messageSeconds
        if let air = measured?.airSecondsPerRow, air > 0 { bitsPerSecond = rowBits / air }
        batches = record.batches
        pings = record.pings
        hopSeconds = record.hopSeconds
        pingSeconds = record.pingSeconds
    }
}
