import APIServer
import Coordinator
import Foundation
import Planning
import SystemModel

/// Which plan a base station follows, and which it followed before.
///
/// The one place that makes the dashboard's plan of what the coordinator knows.
struct PlanHistory {
    /// Most changes kept.
    private static let changesLimit = 8

    private var placement: Placement?
    private var content: ContentPlan?
    private var since: Int?
    private var changes: [CellPlan.Change] = []

    /// Notes what has changed since the last look, and tells the plan in force.
    ///
    /// - Parameter live: what the base station says of a plan that it made itself.
    mutating func look(
        at membership: MembershipState, live: PlacementOutlook.Plan?, unixTime: Int
    ) -> CellPlan {
        let isNew =
            membership.placement != placement
            || (content != nil && membership.content != content)
        // Before the first plan everything is at the base station.
        if isNew, placement != nil || membership.placement.slotCount > 0 {
            since = unixTime
            changes.append(
                CellPlan.Change(unixTime: unixTime, text: Self.sentence(membership, live)))
            if changes.count > Self.changesLimit { changes.removeFirst() }
        }
        (placement, content) = (membership.placement, membership.content)
        var plan = CellPlan(source: Self.source(membership, live))
        plan.file = membership.content.file.map { URL(filePath: $0).lastPathComponent }
        plan.sinceUnixTime = since
        plan.isUnderWay = !membership.isComplete
        plan.foreseen = Self.foreseen(membership, live)
        plan.changes = changes
        return plan
    }

    private static func source(
        _ membership: MembershipState, _ live: PlacementOutlook.Plan?
    ) -> CellPlan.Source {
        if live != nil { return .live }
        return membership.content.devices == nil ? .proportional : .file
    }

    private static func foreseen(
        _ membership: MembershipState, _ live: PlacementOutlook.Plan?
    ) -> CellPlan.Foreseen? {
        if let cost = live?.foreseen {
            return CellPlan.Foreseen(
                secondsPerToken: cost.secondsPerToken,
                roundTripsPerToken: cost.roundTripsPerToken,
                framesPerToken: cost.framesPerToken)
        }
        return membership.content.foreseen.map {
            CellPlan.Foreseen(
                secondsPerToken: $0.secondsPerToken, roundTripsPerToken: $0.roundTripsPerToken,
                framesPerToken: $0.framesPerToken)
        }
    }

    private static func sentence(
        _ membership: MembershipState, _ live: PlacementOutlook.Plan?
    ) -> String {
        let experts = membership.placement.slots.joined().count { $0 != nil }
        let devices = membership.members.values.count { $0.slot != nil }
        let rule = membership.content.file.map { "by \(URL(filePath: $0).lastPathComponent)" }
        return "\(experts) experts to \(devices) \(devices == 1 ? "device" : "devices") "
            + (live.map { "since \($0.reason)" } ?? rule ?? "in proportion to speed")
    }
}
