package import SystemModel

/// What devices keep on disk, for the day on which they are assigned it.
extension MembershipState {
    /// Once every device has what it was assigned: what each is to have on disk beside it, so that
    /// the next change ships as little as possible. No answer waits for it.
    ///
    /// - Parameter popularity: `[layers][experts]`; nil where nobody knows.
    package mutating func keepAhead(_ popularity: [[Double]]?) -> [Action] {
        guard isKeepingDue, isComplete, !isChanging else { return [] }
        isKeepingDue = false
        let devices = devicesInOrder.filter { $0.slot != nil }
        guard devices.contains(where: { $0.diskBytes > 0 }) else { return [] }
        let plan = DiskAhead.plan(
            shape,
            devices.map { member in
                DiskAhead.Device(
                    held: Set(member.assigned), stored: member.stored,
                    roomBytes: member.diskBytes - bytes(member.assigned))
            }, resident: content.resident, popularity: popularity)
        return zip(devices, plan).compactMap { member, wanted in
            // Another order of the same is nothing new.
            Set(wanted) == Set(member.toKeep) ? nil : keep(wanted, on: member.id)
        }
    }

    /// What tokens visit may have changed: what devices keep is decided again.
    package mutating func keepAnew() {
        isKeepingDue = true
    }

    /// Somebody needs experts now: the others keep what they have, and fetch no more.
    mutating func stopKeeping(but id: DeviceID) -> [Action] {
        members.values.sorted { $0.id < $1.id }.compactMap { member in
            let there = member.toKeep.filter(member.stored.contains)
            guard member.id != id, there.count < member.toKeep.count else { return nil }
            return keep(there, on: member.id)
        }
    }

    /// What is on a device's disk already and stays there beside other experts, as far as there is
    /// room: nothing has to be shipped for it.
    func remaining(of member: Member, beside experts: [ExpertID]) -> [ExpertID] {
        guard member.diskBytes > 0 else { return [] }
        let there = member.stored.union(member.ready).subtracting(experts)
        let known = Set(member.toKeep)
        let others = there.subtracting(known).sorted {
            ($0.layer, $0.expert) < ($1.layer, $1.expert)
        }
        return fitting(
            member.toKeep.filter(there.contains) + others,
            within: member.diskBytes - bytes(experts))
    }

    private mutating func keep(_ experts: [ExpertID], on id: DeviceID) -> Action {
        let assigned = members[id]?.assigned ?? []
        members[id]?.toKeep = experts
        members[id]?.stored.formIntersection(assigned + experts)
        return .assign(id, assigned, kept: experts)
    }
}

extension MembershipState.Member {
    /// Experts that are on its disk only.
    package var kept: [ExpertID] { toKeep.filter(stored.contains) }

    fileprivate var diskBytes: Int { description.diskBytes ?? 0 }
}
