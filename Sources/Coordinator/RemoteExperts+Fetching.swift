import MoEModel
import Planning
package import SystemModel
import Tensors

/// What the base station reads ahead: experts that it would compute itself and does not hold.
///
/// It does so while it waits for devices: at other times reading ahead would only keep the disk
/// from what is needed now, and some of it in vain. Where it keeps what tokens visited last, they
/// go there; else, if asked to, into the system's page cache.
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
        if coordinator.recents.isOn, rows <= DeploymentProblem.mostRowsKept {
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
    func announceOwn(_ round: Round) {
        guard let own = round.groups.first(where: { $0.slot == nil }) else { return }
        guard coordinator.recents.isOn, round.inputs.rows <= DeploymentProblem.mostRowsKept else {
            return fetchVisited(round.layer, own.pairs)
        }
        coordinator.recents.announce(
            Set(own.pairs.map(\.expert)).map { ExpertID(layer: round.layer, expert: $0) }
                .filter { !routes.resident.contains($0) })
    }

    /// Asks the disk for experts that are about to be read where they lie in the file.
    func fetchVisited(_ layer: Int, _ pairs: [ExpertPair]) {
        fetcher.fetchVisited(layer: layer, pairs) { residents.experts[$0] == nil }
    }
}
