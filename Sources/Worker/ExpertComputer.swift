import MoEModel
import Synchronization
package import SystemModel
import Wire

/// Computes batches with the experts that are loaded at that moment.
package final class ExpertComputer: Sendable {
    private struct Loaded {
        var model: ModelFacts?
        var experts: [ExpertID: ExpertWeights] = [:]
    }

    /// Takes its time, as a slower device would.
    package struct Pace: Sendable {
        /// For each pair of a token and an expert.
        package let pairSeconds: Double
        /// Returns after a while, without using a processor.
        package let wait: @Sendable (Duration) -> Void

        package init(pairSeconds: Double, wait: @escaping @Sendable (Duration) -> Void) {
            self.pairSeconds = pairSeconds
            self.wait = wait
        }
    }

    private let loaded = Mutex(Loaded())
    private let clock: any MonotonicClock
    private let pace: Pace?
    private let turns: ComputeTurns
    private let station: TurnState.Station

    /// - Parameters:
    ///   - pace: nil: as fast as it can.
    ///   - turns: shared by all that compute on this device.
    ///   - station: whose experts these are.
    package init(
        clock: any MonotonicClock, pace: Pace? = nil, turns: ComputeTurns,
        station: TurnState.Station = 0
    ) {
        self.clock = clock
        self.pace = pace
        self.turns = turns
        self.station = station
    }

    /// Forgets all experts but these.
    func keep(_ ids: Set<ExpertID>, of model: ModelFacts) {
        loaded.withLock { loaded in
            if loaded.model != model { loaded.experts = [:] }
            loaded.experts = loaded.experts.filter { ids.contains($0.key) }
            loaded.model = model
        }
    }

    /// Makes an expert available.
    func add(_ id: ExpertID, _ weights: ExpertWeights) {
        loaded.withLock { $0.experts[id] = weights }
    }

    /// Answers a batch on `link`: a result, or a failure that says why there is none.
    ///
    /// Computes on the calling thread, which is the link's own: handing a batch to another thread
    /// and its answer back would cost two of the hop's six wake-ups.
    func answer(_ frame: Frame, on link: any DeviceLink) {
        do {
            link.send(try reply(to: frame))
        } catch {
            link.close()
        }
    }

    /// - Throws: only if not even the failure can be put into a frame.
    private func reply(to frame: Frame) throws -> Frame {
        var request: UInt64?
        do {
            let batch = try ExpertBatch(frame: frame, model: loaded.withLock { $0.model })
            request = batch.requestID
            return try turns.take(station) { try result(of: batch) }.frame()
        } catch {
            return try Failure(requestID: request, message: "\(error)").frame()
        }
    }

    private func result(of batch: ExpertBatch) throws -> ExpertResult {
        let start = clock.now
        let experts = try weights(for: batch)
        let outputs = try partialMixture(inputs: batch.inputs, pairs: batch.pairs) { expert in
            guard let found = experts[expert] else { throw missing(batch.layer, expert) }
            return found
        }
        if let pace {
            let left = Duration.seconds(pace.pairSeconds) * batch.pairs.count - (clock.now - start)
            if left > .zero { pace.wait(left) }
        }
        let (seconds, attoseconds) = (clock.now - start).components
        return ExpertResult(
            requestID: batch.requestID, codec: batch.codec,
            computeNanoseconds: UInt64(seconds) * 1_000_000_000
                + UInt64(attoseconds / 1_000_000_000),
            outputs: outputs)
    }

    /// The weights of the batch's experts, by their position in the layer.
    private func weights(for batch: ExpertBatch) throws -> [Int: ExpertWeights] {
        try loaded.withLock { loaded in
            var found: [Int: ExpertWeights] = [:]
            for pair in batch.pairs where found[pair.expert] == nil {
                let id = ExpertID(layer: batch.layer, expert: pair.expert)
                guard let weights = loaded.experts[id] else {
                    throw missing(batch.layer, pair.expert)
                }
                found[pair.expert] = weights
            }
            return found
        }
    }

    private func missing(_ layer: Int, _ expert: Int) -> WorkerError {
        WorkerError(.refused, "\(ExpertID(layer: layer, expert: expert)) is not loaded here")
    }
}
