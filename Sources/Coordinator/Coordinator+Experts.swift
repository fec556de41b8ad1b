import Synchronization
import SystemModel
import Wire

/// What devices are told to hold in memory and to keep on disk, and what people are told of it.
extension Coordinator {
    /// What devices keep on disk is decided again, for what tokens visit now.
    package func keepAnew() {
        mutate(changingRoutes: { _ in false }) { $0.keepAnew() }
        keepAhead()
    }

    /// Tells devices what to keep on disk, once all have what they were assigned.
    func keepAhead() {
        let membership = membership
        guard options.keepsAhead, membership.isKeepingDue else { return }
        let recent = recentRouting.withLock {
            $0.rows >= RecentRouting.rowsNeeded ? $0.popularity : nil
        }
        let popularity = recent ?? membership.content.popularity
        perform(mutate(changingRoutes: { _ in false }) { $0.keepAhead(popularity) })
    }

    func assign(_ experts: [ExpertID], keeping kept: [ExpertID], to id: DeviceID) {
        let kept = kept.prefix(max(0, Limits.expertsPerAssignment - experts.count))
        shipping.assign(experts + kept, to: id) { [weak self] manifests in
            guard let self, let link = controlLink(of: id) else { return }
            do {
                link.send(
                    try Assignment(
                        model: facts, experts: Array(manifests.prefix(experts.count)),
                        kept: Array(manifests.dropFirst(experts.count))
                    ).frame())
            } catch {
                expel(id, reason: "its assignment cannot be sent: \(error)")
            }
        }
    }

    /// What has changed of a device's experts.
    func tell(_ before: MembershipState.Member, _ member: MembershipState.Member) {
        let name = member.description.name
        if member.ready.count != before.ready.count || member.bytesFetched != before.bytesFetched
            || member.bytesFromCache != before.bytesFromCache
        {
            tell(
                .loaded(
                    name: name, ready: member.ready.count, of: member.assigned.count,
                    fetched: member.bytesFetched, cached: member.bytesFromCache))
        }
        if member.stored.count != before.stored.count {
            tell(
                .stored(
                    name: name, experts: member.kept.count, of: member.toKeep.count,
                    bytes: member.bytesKept))
        }
    }
}
