package import Planning
import Synchronization
import SystemModel

/// What is foreseen of the placement that runs, and what tokens visit, for whoever shows it.
package struct PlacementOutlook: Sendable {
    /// A plan that the base station made itself.
    package struct Plan: Sendable, Equatable {
        /// Of a token, by the times and sets that it was planned with.
        package var foreseen: DeploymentCost
        /// Why it was made, a few words.
        package var reason: String
        /// When it was adopted, by the coordinator's clock.
        package var adopted: Duration
    }

    /// Nil where the placement was not planned here: experts are dealt in proportion to speed, or
    /// by a plan file.
    package var plan: Plan?
    /// Since the plan was adopted.
    package var age: Duration?
    /// Bytes that devices were assigned and do not have yet.
    package var bytesToShip: Int
    /// Rows that went through the model since the start.
    package var rows: Int
    /// `[layers][experts]`: each expert's share of its layer's visits lately; all 0 before the
    /// first token, empty for dense layers.
    package var popularity: [[Double]]
}

extension Coordinator {
    /// How the placement does at this moment.
    ///
    /// - Complexity: O(layers · experts).
    package var placementOutlook: PlacementOutlook {
        let plan = plan.withLock { $0 }
        let (rows, popularity) = recentRouting.withLock { ($0.rows, $0.popularity) }
        return PlacementOutlook(
            plan: plan, age: plan.map { clock.now - $0.adopted },
            bytesToShip: membership.bytesToShip, rows: rows, popularity: popularity)
    }
}
