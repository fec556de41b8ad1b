package import SystemModel

/// Who is there, which slot each device occupies, and which experts it has ready.
///
/// Decisions only: every event is a `mutating func`, and what must be done comes back as actions.
package struct MembershipState: Sendable {
    /// What the base station must do after an event.
    package enum Action: Sendable, Equatable {
        /// Tell the device which experts to hold: those of its slot in ascending order, then
        /// replicas of others; and those to keep on its disk only, which matter most first.
        case assign(DeviceID, [ExpertID], kept: [ExpertID] = [])
    }

    /// One device that joined and is still connected.
    package struct Member: Sendable {
        package let id: DeviceID
        /// Its memory is what it offered last.
        package fileprivate(set) var description: DeviceDescription
        /// The slot whose experts it holds or is loading; nil while it is spare.
        package fileprivate(set) var slot: Int?
        /// The slot's experts, then replicas of others', as far as its memory reaches.
        package fileprivate(set) var assigned: [ExpertID] = []
        /// Experts it can compute now.
        package fileprivate(set) var ready: Set<ExpertID> = []
        /// It missed a deadline and has not answered since; it gets no work until it does.
        package fileprivate(set) var isLate = false
        /// Bytes shipped to it, and bytes it had in its cache, since it joined.
        package fileprivate(set) var bytesFetched = 0
        package fileprivate(set) var bytesFromCache = 0
        /// Experts that it is to have on disk beside those it is assigned.
        package internal(set) var toKeep: [ExpertID] = []
        /// Experts that are known to be on its disk, of those it is assigned and those to keep.
        package internal(set) var stored: Set<ExpertID> = []
        /// Bytes of `toKeep` that are on its disk.
        package fileprivate(set) var bytesKept = 0
    }

    /// How speeds become shares.
    package enum Shares: Sendable {
        /// By the devices' own benchmark.
        case measured
        /// All alike: for devices that share one machine, whose benchmarks only disturb each other.
        case equal
    }

    let shape: ModelShape
    private let shares: Shares
    /// What is wanted of the machines' memories now.
    package private(set) var content: ContentPlan
    /// While one plan takes another's place: the copies that the new one wants.
    private var plannedReplicas: [[ExpertID]]?
    /// Connected devices by number.
    package internal(set) var members: [DeviceID: Member] = [:]
    /// Whether what devices keep on disk was decided for another assignment than this one.
    package internal(set) var isKeepingDue = false
    /// The plan that groups follow; changes only in `replan()`.
    package private(set) var placement: Placement
    /// By slot: experts of other slots that its device holds as well, so that it can step in for
    /// theirs. They change no group.
    package private(set) var replicas: [[ExpertID]] = []
    /// The slots of far nodes: after those of the devices.
    package private(set) var cloudSlots = 0..<0

    package init(shape: ModelShape, shares: Shares, content: ContentPlan = ContentPlan()) {
        self.shape = shape
        self.shares = shares
        self.content = content
        placement = Placement(baseStationOnly: shape)
    }

    /// Whether a device waits for a slot, so that a new plan would use more of what is there.
    package var hasSpareDevices: Bool { members.values.contains { $0.slot == nil } }

    /// Whether every device has all those experts of its slot ready that it has memory for;
    /// replicas, and what far nodes are to hold, may still be on the way.
    package var isSettled: Bool {
        members.values.allSatisfy { member in
            guard let slot = member.slot, !member.description.isCloud else { return true }
            return member.assigned.allSatisfy {
                placement.slot(of: $0) != slot || member.ready.contains($0)
            }
        }
    }

    /// Whether one plan is still taking another's place.
    package var isChanging: Bool { plannedReplicas != nil || !isSettled }

    /// Bytes that devices were assigned and do not have yet, on disk neither.
    package var bytesToShip: Int {
        members.values.reduce(0) { sum, member in
            sum
                + bytes(
                    member.assigned.filter {
                        !member.ready.contains($0) && !member.stored.contains($0)
                    })
        }
    }

    /// Those that take part in a plan, in the order in which they get slots: far nodes do not.
    package var devicesInOrder: [Member] { inOrder.filter { !$0.description.isCloud } }

    private var inOrder: [Member] {
        members.values.sorted {
            ($0.description.name, $0.id) < ($1.description.name, $1.id)
        }
    }

    /// Whether every device has all that it was assigned, replicas too.
    package var isComplete: Bool {
        members.values.allSatisfy { $0.ready.count == $0.assigned.count }
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
        guard let slot = freeSlot(for: description) else { return [] }
        return [occupy(id, slot)] + stopKeeping(but: id)
    }

    /// A device reports what it has loaded since its last report, and its bytes so far.
    package mutating func progressed(
        _ id: DeviceID, ready: [ExpertID], bytesFetched: Int, bytesFromCache: Int,
        kept: [ExpertID] = [], bytesKept: Int = 0
    ) {
        guard let member = members[id], member.slot != nil else { return }
        members[id]?.ready.formUnion(Set(member.assigned).intersection(ready))
        members[id]?.bytesFetched = bytesFetched
        members[id]?.bytesFromCache = bytesFromCache
        members[id]?.bytesKept = bytesKept
        if !kept.isEmpty { members[id]?.stored.formUnion(Set(member.toKeep).intersection(kept)) }
    }

    /// A device offers other memory than before. What no longer fits goes at once, from the end of
    /// what it was to hold, and copies or the base station compute it; what fits again comes back.
    /// Groups stay as they are: what else there is room for the next plan sees.
    package mutating func offered(_ id: DeviceID, memoryBytes: Int) -> [Action] {
        guard let member = members[id] else { return [] }
        members[id]?.description.memoryBytes = memoryBytes
        guard let slot = member.slot else { return [] }
        let action = occupy(id, slot)
        return members[id]?.assigned == member.assigned ? [] : [action]
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
        plannedReplicas = nil
        let order = makePlan()
        return order.enumerated().map { slot, member in occupy(member.id, slot) }
    }

    /// Another plan takes this one's place, between answers only. Where memory allows, devices keep
    /// what they have until the new plan's holders are ready, and compute it meanwhile as copies.
    package mutating func adopt(_ content: ContentPlan) -> [Action] {
        self.content = content
        let order = makePlan()
        plannedReplicas = replicas
        for (slot, member) in order.enumerated() {
            let wanted = Set(placement.experts(inSlot: slot) + replicas[slot])
            replicas[slot] += member.assigned.filter {
                member.ready.contains($0) && !wanted.contains($0) && placement.slot(of: $0) != nil
            }
        }
        return order.enumerated().map { slot, member in occupy(member.id, slot) }
    }

    /// Once all own experts of the new plan are ready: what is only kept for the change goes.
    package mutating func finishChange() -> [Action] {
        guard let planned = plannedReplicas, isSettled else { return [] }
        plannedReplicas = nil
        replicas = planned
        return members.values.sorted { $0.id < $1.id }.compactMap { member in
            guard let slot = member.slot else { return nil }
            let kept = Set(placement.experts(inSlot: slot) + planned[slot])
            return member.assigned.allSatisfy(kept.contains) ? nil : occupy(member.id, slot)
        }
    }

    /// Placement and copies for those who are there.
    ///
    /// - Returns: the members by slot.
    private mutating func makePlan() -> [Member] {
        let order = devicesInOrder
        if let devices = content.devices {
            let names = order.map(\.description.name)
            plan(names.map { devices[$0] ?? [] }, names.map { content.standby[$0] ?? [] }, order)
        } else {
            placement = ProportionalPlacement.plan(
                shape, offers: order.map(offer), keeping: content.resident)
            let spare = order.enumerated().map { slot, member in
                member.description.memoryBytes - bytes(placement.experts(inSlot: slot))
            }
            replicas = ReplicaPlacement.plan(
                shape, placement, spareBytes: spare, copies: content.copies,
                popularity: content.popularity)
        }
        let clouds = inOrder.filter(\.description.isCloud)
        addClouds(clouds)
        return order + clouds
    }

    private mutating func addClouds(_ clouds: [Member]) {
        let first = placement.slotCount
        let plan = CloudPlacement.plan(
            shape, placement, memoryBytes: clouds.map(\.description.memoryBytes),
            keeping: content.resident, popularity: content.popularity)
        placement = plan.placement
        replicas += plan.copies
        cloudSlots = first..<placement.slotCount
    }

    /// A plan made elsewhere: of the devices that hold an expert the first computes it, and before
    /// those that stand by. What is in no memory stays at the base station.
    private mutating func plan(
        _ wanted: [[ExpertID]], _ standby: [[ExpertID]], _ order: [Member]
    ) {
        var slots = Placement(baseStationOnly: shape).slots
        replicas = Array(repeating: [], count: wanted.count)
        let held = wanted.indices.map { slot in
            fitting(wanted[slot] + standby[slot], within: order[slot].description.memoryBytes)
        }
        func add(_ id: ExpertID, _ slot: Int) {
            if content.resident.contains(id) || slots[id.layer][id.expert] == slot { return }
            if slots[id.layer][id.expert] == nil {
                slots[id.layer][id.expert] = slot
            } else {
                replicas[slot].append(id)
            }
        }
        for slot in held.indices {
            for id in held[slot].prefix(wanted[slot].count) { add(id, slot) }
        }
        for slot in held.indices {
            for id in held[slot].dropFirst(wanted[slot].count) { add(id, slot) }
        }
        placement = Placement(slots: slots, slotCount: wanted.count)
    }

    func bytes(_ experts: [ExpertID]) -> Int {
        experts.reduce(0) { $0 + shape.expertBytes[$1.layer] }
    }

    /// The experts up to the first that has no room.
    func fitting(_ experts: [ExpertID], within memoryBytes: Int) -> [ExpertID] {
        var left = memoryBytes
        return Array(
            experts.prefix { id in
                left -= shape.expertBytes[id.layer]
                return left >= 0
            })
    }

    private func offer(_ member: Member) -> ProportionalPlacement.Offer {
        let measured = member.description.memoryGigabytesPerSecond
        return ProportionalPlacement.Offer(
            memoryBytes: member.description.memoryBytes,
            speed: shares == .equal ? 1 : ProportionalPlacement.rounded(speed: measured))
    }

    private mutating func occupy(_ id: DeviceID, _ slot: Int) -> Action {
        let memory = members[id]?.description.memoryBytes ?? 0
        let experts = fitting(
            placement.experts(inSlot: slot) + replicas[slot], within: memory)
        let kept = members[id].map { remaining(of: $0, beside: experts) } ?? []
        members[id]?.slot = slot
        members[id]?.assigned = experts
        members[id]?.toKeep = kept
        members[id]?.stored.formIntersection(experts + kept)
        isKeepingDue = true
        // What it has already it goes on computing.
        members[id]?.ready.formIntersection(experts)
        return .assign(id, experts, kept: kept)
    }

    private func freeSlot(for device: DeviceDescription) -> Int? {
        let taken = Set(members.values.compactMap(\.slot))
        let slots = device.isCloud ? cloudSlots : 0..<cloudSlots.lowerBound
        return slots.first { slot in
            let experts = placement.experts(inSlot: slot)
            return !taken.contains(slot) && (device.isCloud || !experts.isEmpty)
                && bytes(experts) <= device.memoryBytes
        }
    }
}
