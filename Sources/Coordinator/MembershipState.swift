package import SystemModel

/// Who is there, which slot each device occupies, and which experts it has ready.
///
/// Decisions only: every event is a `mutating func`, and what must be done comes back as actions.
package struct MembershipState: Sendable {
    /// What the base station must do after an event.
    package enum Action: Sendable, Equatable {
        /// Tell the device which experts to hold: all of them, in ascending order.
        case assign(DeviceID, [ExpertID])
    }

    /// One device that joined and is still connected.
    package struct Member: Sendable {
        package let id: DeviceID
        package let description: DeviceDescription
        /// The slot whose experts it holds or is loading; nil while it is spare.
        package fileprivate(set) var slot: Int?
        /// Experts it can compute now.
        package fileprivate(set) var ready: Set<ExpertID> = []
        /// It missed a deadline and has not answered since; it gets no work until it does.
        package fileprivate(set) var isLate = false
        /// Bytes shipped to it, and bytes it had in its cache, since it joined.
        package fileprivate(set) var bytesFetched = 0
        package fileprivate(set) var bytesFromCache = 0
    }

    /// How speeds become shares.
    package enum Shares: Sendable {
        /// By the devices' own benchmark.
        case measured
        /// All alike: for devices that share one machine, whose benchmarks only disturb each other.
        case equal
    }

    private let shape: ModelShape
    private let shares: Shares
    /// Connected devices by number.
    package private(set) var members: [DeviceID: Member] = [:]
    /// The plan that groups follow; changes only in `replan()`.
    package private(set) var placement: Placement

    package init(shape: ModelShape, shares: Shares) {
        self.shape = shape
        self.shares = shares
        placement = Placement(baseStationOnly: shape)
    }

    /// Whether a device waits for a slot, so that a new plan would use more of what is there.
    package var hasSpareDevices: Bool { members.values.contains { $0.slot == nil } }

    /// Whether every occupied slot has all its experts ready.
    package var isSettled: Bool {
        members.values.allSatisfy { member in
            guard let slot = member.slot else { return true }
            return placement.experts(inSlot: slot).allSatisfy(member.ready.contains)
        }
    }

    /// The device that occupies the slot, is not late and has all those experts; or nil.
    package func device(inSlot slot: Int, having experts: [ExpertID]) -> DeviceID? {
        members.values.first { member in
            member.slot == slot && !member.isLate && experts.allSatisfy(member.ready.contains)
        }?.id
    }

    /// The description under a name that no connected device has: costs are kept by name.
    package func uniqueName(_ description: DeviceDescription) -> DeviceDescription {
        let taken = Set(members.values.map(\.description.name))
        var unique = description
        var number = 2
        while taken.contains(unique.name) {
            unique.name = "\(description.name)-\(number)"
            number += 1
        }
        return unique
    }

    /// A device joined. It takes a free slot if one fits, else it is spare until the next plan.
    package mutating func joined(
        _ id: DeviceID, _ description: DeviceDescription
    ) -> [Action] {
        members[id] = Member(id: id, description: description)
        guard let slot = freeSlot(within: description.memoryBytes) else { return [] }
        return [occupy(id, slot)]
    }

    /// A device reports what it has loaded since its last report, and its bytes so far.
    package mutating func progressed(
        _ id: DeviceID, ready: [ExpertID], bytesFetched: Int, bytesFromCache: Int
    ) {
        guard let member = members[id], let slot = member.slot else { return }
        let assigned = Set(placement.experts(inSlot: slot))
        members[id]?.ready.formUnion(assigned.intersection(ready))
        members[id]?.bytesFetched = bytesFetched
        members[id]?.bytesFromCache = bytesFromCache
    }

    /// A device missed a deadline.
    package mutating func late(_ id: DeviceID) {
        members[id]?.isLate = true
    }

    /// A device answered, if late: it gets work again.
    package mutating func answered(_ id: DeviceID) {
        members[id]?.isLate = false
    }

    /// A device is gone. Its slot stays in the plan, free for whoever joins next.
    package mutating func left(_ id: DeviceID) {
        members[id] = nil
    }

    /// Makes a new plan for the devices that are there. To be called between answers only: groups
    /// change, and with them the rounding of sums of more than two experts.
    package mutating func replan() -> [Action] {
        let order = members.values.sorted {
            ($0.description.name, $0.id) < ($1.description.name, $1.id)
        }
        placement = ProportionalPlacement.plan(shape, offers: order.map(offer))
        return order.enumerated().map { slot, member in occupy(member.id, slot) }
    }

    private func offer(_ member: Member) -> ProportionalPlacement.Offer {
        let measured = member.description.memoryGigabytesPerSecond
        return ProportionalPlacement.Offer(
            memoryBytes: member.description.memoryBytes,
            speed: shares == .equal ? 1 : ProportionalPlacement.rounded(speed: measured))
    }

    private mutating func occupy(_ id: DeviceID, _ slot: Int) -> Action {
        let experts = placement.experts(inSlot: slot)
        members[id]?.slot = slot
        members[id]?.ready = []
        return .assign(id, experts)
    }

    private func freeSlot(within memoryBytes: Int) -> Int? {
        let taken = Set(members.values.compactMap(\.slot))
        return (0..<placement.slotCount).first { slot in
            let experts = placement.experts(inSlot: slot)
            let bytes = experts.reduce(0) { $0 + shape.expertBytes[$1.layer] }
            return !taken.contains(slot) && !experts.isEmpty && bytes <= memoryBytes
        }
    }
}
