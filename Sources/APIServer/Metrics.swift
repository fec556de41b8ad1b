import MoEModel
import Serving
import Synchronization
import SystemModel

/// What `/metrics` tells Prometheus: what became of requests, what the engine did, how devices do.
final class Metrics: Sendable {
    /// What became of a request.
    enum Outcome: String, CaseIterable {
        case answered, refused, failed, cancelled
    }

    private let outcomes = Mutex<[Outcome: Int]>([:])

    /// Counts a request by what became of it.
    func count(_ outcome: Outcome) {
        outcomes.withLock { $0[outcome, default: 0] += 1 }
    }

    /// The exposition format, version 0.0.4.
    func text(_ engine: BatchEngine, _ cell: CellSnapshot) -> String {
        let outcomes = outcomes.withLock { $0 }
        var page = MetricsPage()
        page.family(
            "martlet_requests_total", .counter, "Requests by what became of them.",
            Outcome.allCases.map { ([("outcome", $0.rawValue)], Double(outcomes[$0] ?? 0)) })
        load(engine.load, &page)
        activity(engine.activity, &page)
        devices(engine.activity.cost, cell, &page)
        return page.text
    }

    private func load(_ load: BatchEngine.Load, _ page: inout MetricsPage) {
        page.single("martlet_requests_waiting", .gauge, "Requests in the queue.", load.waiting)
        page.single("martlet_requests_running", .gauge, "Requests in the batch.", load.running)
        page.single(
            "martlet_kv_cache_bytes", .gauge, "Bytes of pages in use.", load.memory.bytesInUse)
        page.single("martlet_kv_cache_pages", .gauge, "Pages in use.", load.memory.pagesInUse)
        page.single("martlet_kept_prefixes", .gauge, "Texts kept for reuse.", load.prefixes)
    }

    private func activity(_ activity: EngineActivity, _ page: inout MetricsPage) {
        let cost = activity.cost
        page.single(
            "martlet_prompt_tokens_total", .counter, "Tokens read.", activity.promptTokens)
        page.single(
            "martlet_reused_tokens_total", .counter, "Tokens that needed no reading.",
            activity.reusedTokens)
        page.single(
            "martlet_answer_tokens_total", .counter, "Tokens drawn.", activity.answerTokens)
        page.single("martlet_steps_total", .counter, "Passes of the model.", cost.steps)
        page.family(
            "martlet_step_seconds_total", .counter, "Time of steps by what it went to.",
            [
                ([("part", "computing")], cost.computeSeconds),
                ([("part", "waiting")], cost.networkWaitSeconds),
            ])
        page.single(
            "martlet_round_trips_total", .counter,
            "Layers of steps for which at least one frame had to go out.", cost.roundTrips)
        page.family(
            "martlet_expert_visits_total", .counter, "Pairs of a token and an expert by place.",
            [
                ([("place", "base_station")], Double(cost.localPairs)),
                ([("place", "device")], Double(cost.pairs - cost.localPairs)),
            ])
        page.single(
            "martlet_file_visits_total", .counter,
            "Visits of a layer to an expert that was in no memory of the base station.",
            cost.fileVisits)
        page.single(
            "martlet_lost_groups_total", .counter, "Batches that a device did not answer.",
            cost.devices.values.reduce(0) { $0 + $1.lostFrames })
        page.single(
            "martlet_recomputed_groups_total", .counter,
            "Groups of a device's experts that the base station computed instead.",
            cost.recomputedGroups)
        page.histogram(
            "martlet_queue_seconds", "Time from request to its first step.",
            [([], activity.queue)])
        page.histogram(
            "martlet_first_token_seconds", "Time from request to first token.",
            [([], activity.firstToken)])
        page.histogram(
            "martlet_token_seconds", "Time from token to token of an answer.",
            [([], activity.laterToken)])
    }

    private func devices(
        _ cost: CostRecord, _ cell: CellSnapshot, _ page: inout MetricsPage
    ) {
        page.family(
            "martlet_devices", .gauge, "Devices by state.",
            CellSnapshot.Device.State.allCases.filter { $0 != .lost }.map { state in
                let count = cell.devices.filter { $0.state == state }.count
                return ([("state", state.rawValue)], Double(count))
            })
        let devices = cost.devices.sorted { $0.key < $1.key }
        func family(_ name: String, _ help: String, _ value: (CostRecord.Device) -> Double) {
            page.family(
                "martlet_device_\(name)_total", .counter, help,
                devices.map { ([("device", $0.key)], value($0.value)) })
        }
        family("compute_seconds", "Time that devices say they computed.") { $0.computeSeconds }
        family("expert_visits", "Pairs of a token and an expert.") { Double($0.pairs) }
        family("downlink_bytes", "Payload bytes to devices.") { Double($0.downlinkBytes) }
        family("uplink_bytes", "Payload bytes from devices.") { Double($0.uplinkBytes) }
        family("frames", "Frames answered.") { Double($0.roundTrips) }
        family("lost_batches", "Batches not answered.") { Double($0.lostFrames) }
        let present = cell.devices.filter { $0.state != .lost }
        func gauge(_ name: String, _ help: String, _ value: (CellSnapshot.Device) -> Int) {
            page.family(
                "martlet_device_\(name)", .gauge, help,
                present.map { ([("device", $0.name)], Double(value($0))) })
        }
        gauge("experts_bytes", "Bytes of the experts that it was given.") { $0.assignedBytes }
        gauge("unshipped_bytes", "Bytes of those that it does not have yet.") {
            max(0, $0.assignedBytes - $0.readyBytes)
        }
        gauge("shipped_bytes", "Bytes of those that came over the link.") { $0.shippedBytes }
        gauge("cached_bytes", "Bytes of those that it had in its cache.") { $0.cachedBytes }
        gauge("kept_bytes", "Bytes of experts that it has on disk only, ahead of need.") {
            $0.keptBytes
        }
        let links = cell.links.sorted { $0.key < $1.key }
        page.histogram(
            "martlet_device_round_trip_seconds",
            "Time from a batch to its answer, computing included.",
            links.map { ([("device", $0.key)], $0.value.batches) })
        page.histogram(
            "martlet_device_ping_seconds", "Time from a ping to its answer.",
            links.map { ([("device", $0.key)], $0.value.pings) })
    }
}
