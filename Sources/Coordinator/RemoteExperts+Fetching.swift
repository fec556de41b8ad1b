import MoEModel
import Planning
package import SystemModel
import Tensors

/// What the base station asks its disk for: experts that it computes itself and does not hold.
///
/// All that a layer visits is asked for at once. What will probably be visited is read ahead while
/// devices are waited for: at other times that would only keep the disk from what is needed now,
/// and some of it in vain. Where the base station keeps what tokens visited last, all go there;
/// else into the system's page cache, ahead only if asked to.
extension RemoteExperts: ExpertFetching {
    package var isDue: Bool {
        if coordinator.recents.isOn {
            isAway && coordinator.recents.isDue
        } else {
            fillsPageCache && fetcher.isDue
        }
    }

    /// Reads them ahead, unless devices have them or they are here. Returns at once.
    package func fetch(_ ids: [ExpertID], rows: Int) {
        let wanted = ids.filter(readsFromFile)
        if keepsVisits(ofRows: rows) {
            coordinator.recents.expect(wanted)
        } else if fillsPageCache {
            fetcher.fetch(wanted, rows: rows)
        }
    }

    /// Whether no device can compute the expert at this moment, and no copy of it is to stay here.
    private func readsFromFile(_ id: ExpertID) -> Bool {
        guard !routes.resident.contains(id) else { return false }
        return routes.placement.slots.isEmpty
            || routes.holders(layer: id.layer, expert: id.expert).isEmpty
    }

    /// What a round visits here is asked of the disk while its frames go out.
    ///
    /// - Parameter rest: rows that nobody else can compute.
    func announce(_ round: Round, _ rest: Parcel) {
        let own = round.groups.first { $0.slot == nil }?.pairs ?? []
        announce(own, round)
        if !rest.segments.isEmpty { announce(rest.work(round.groups).pairs, round) }
    }

    /// Asks the disk for those of the experts that are not here.
    func announce(_ pairs: [ExpertPair], _ round: Round) {
        guard !pairs.isEmpty else { return }
        guard keepsVisits(ofRows: round.inputs.rows) else {
            return fetcher.fetchVisited(layer: round.layer, pairs) {
                residents.experts[$0] == nil && !coordinator.recents.holds($0)
            }
        }
        coordinator.recents.announce(
            Set(pairs.map(\.expert)).map { ExpertID(layer: round.layer, expert: $0) }
                .filter { !routes.resident.contains($0) })
    }

    /// Whether what these rows visit goes where the last visits are kept: a long prompt's does not.
    private func keepsVisits(ofRows rows: Int) -> Bool {
        coordinator.recents.isOn && max(rows, stepRows) <= DeploymentProblem.mostRowsKept
    }
}
