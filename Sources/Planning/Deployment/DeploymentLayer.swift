import SystemModel

/// One layer while a deployment is searched: what it costs, kept up to date as experts move, so
/// that a change costs the recorded sets that it touches.
struct DeploymentLayer {
    /// Seconds that a round trip and a frame count beside their time.
    struct Prices: Equatable {
        var roundTrip = DeploymentProblem.tripWeight
        var frame = DeploymentProblem.frameWeight
    }

    /// An expert and the memory it goes to: 0 the base station's, then the devices', then the file.
    typealias Change = (expert: Int, memory: Int)

    let bytes: Int
    /// `[experts]`: the memory of each.
    private(set) var memories: [Int]
    /// Seconds and priced traffic.
    private(set) var objective = 0.0
    /// Frames of a decoded token.
    private(set) var frames = 0.0
    /// How many times a set was looked at.
    private(set) var looks = 0

    private let times: Times
    /// `[experts]`: seconds of a visit from the file.
    private let fileSeconds: [Double]
    private let sets: [[Int]]
    private let shares: [Double]
    /// `[experts]`: the sets with it.
    private let setsOf: [[Int]]
    private let prices: Prices
    /// `[sets]`: seconds and priced traffic of a decoded token.
    private var costs: [Double]
    private var framesOf: [Double]
    /// A prompt row's share of each memory's time; the last is the file's and always 0.
    private var loads: [Double]
    private var visits: [Int]
    private var stamps: [Int]
    private var stamp = 0

    /// Times by memory; a device's, and the base station's without frames.
    private struct Times {
        let frame: [Double]
        let row: [Double]
        let visit: [Double]
        let ownFrame: Double
        let promptRows: Double

        init(_ problem: DeploymentProblem) {
            frame = [0] + problem.devices.map(\.frameSeconds) + [0]
            row = [0] + problem.devices.map(\.rowSeconds) + [0]
            visit = [problem.residentSeconds] + problem.devices.map(\.visitSeconds) + [0]
            ownFrame = problem.frameSeconds
            promptRows = problem.promptRows
        }

        var file: Int { visit.count - 1 }
    }

    /// - Parameter memories: `[experts]`.
    init(_ problem: DeploymentProblem, layer: Int, memories: [Int], prices: Prices) {
        bytes = problem.shape.expertBytes[layer]
        self.memories = memories
        self.prices = prices
        times = Times(problem)
        fileSeconds = memories.indices.map { problem.fileSeconds(layer, $0) }
        let recorded = problem.sets[layer]
        let total = Double(max(1, recorded.reduce(0) { $0 + $1.count }))
        sets = recorded.map(\.experts)
        shares = recorded.map { Double($0.count) / total }
        var setsOf = [[Int]](repeating: [], count: memories.count)
        for (number, set) in sets.enumerated() {
            for expert in set { setsOf[expert].append(number) }
        }
        self.setsOf = setsOf
        costs = Array(repeating: 0, count: sets.count)
        framesOf = costs
        loads = Array(repeating: 0, count: times.visit.count)
        visits = loads.map { _ in 0 }
        stamps = costs.map { _ in 0 }
        count()
    }

    /// The objective after changes, which are not made.
    mutating func tried(_ changes: [Change]) -> Double {
        let (oldMemories, oldLoads) = (changes.map { memories[$0.expert] }, loads)
        let after = make(changes, keeping: false)
        for (change, memory) in zip(changes, oldMemories) { memories[change.expert] = memory }
        loads = oldLoads
        return after
    }

    mutating func apply(_ changes: [Change]) {
        objective = make(changes, keeping: true)
    }

    private mutating func count() {
        loads = loads.map { _ in 0 }
        var sum = 0.0
        frames = 0
        for set in sets.indices {
            (costs[set], framesOf[set]) = cost(set)
            sum += costs[set]
            frames += framesOf[set]
            load(set, 1)
        }
        objective = sum + times.promptRows * (loads.max() ?? 0)
    }

    private mutating func make(_ changes: [Change], keeping: Bool) -> Double {
        let touched = touched(changes)
        looks += touched.count
        var objective = self.objective
        if times.promptRows > 0 {
            objective -= times.promptRows * (loads.max() ?? 0)
            for set in touched { load(set, -1) }
        }
        for change in changes { memories[change.expert] = change.memory }
        for set in touched {
            let new = cost(set)
            objective += new.cost - costs[set]
            if keeping {
                frames += new.frames - framesOf[set]
                (costs[set], framesOf[set]) = new
            }
        }
        if times.promptRows > 0 {
            for set in touched { load(set, 1) }
            objective += times.promptRows * (loads.max() ?? 0)
        }
        return objective
    }

    private mutating func touched(_ changes: [Change]) -> [Int] {
        guard changes.count > 1 else { return changes.first.map { setsOf[$0.expert] } ?? [] }
        stamp += 1
        var touched: [Int] = []
        for change in changes {
            for set in setsOf[change.expert] where stamps[set] != stamp {
                stamps[set] = stamp
                touched.append(set)
            }
        }
        return touched
    }

    /// A set's part of the objective, but for prompts, and of the frames.
    private mutating func cost(_ set: Int) -> (cost: Double, frames: Double) {
        let file = times.file
        var own = 0.0
        var slowest = 0.0
        var frames = 0
        for expert in sets[set] {
            let memory = memories[expert]
            if memory == file {
                own += fileSeconds[expert]
            } else if memory == 0 {
                own += times.visit[memory]
            } else {
                if visits[memory] == 0 { frames += 1 }
                visits[memory] += 1
                let seconds = times.frame[memory] + Double(visits[memory]) * times.visit[memory]
                slowest = max(slowest, seconds)
            }
        }
        for expert in sets[set] { visits[memories[expert]] = 0 }
        let traffic =
            Double(frames) * (times.ownFrame + prices.frame) + (frames > 0 ? prices.roundTrip : 0)
        return (shares[set] * (max(own, slowest) + traffic), shares[set] * Double(frames))
    }

    /// Adds a set's rows and visits to the loads, or takes them away.
    private mutating func load(_ set: Int, _ sign: Double) {
        let file = times.file
        for expert in sets[set] {
            let memory = memories[expert]
            let place = memory == file ? 0 : memory
            if visits[memory] == 0 { loads[place] += sign * shares[set] * times.row[memory] }
            visits[memory] = 1
            let seconds = memory == file ? fileSeconds[expert] : times.visit[memory]
            loads[place] += sign * shares[set] * seconds
        }
        for expert in sets[set] { visits[memories[expert]] = 0 }
    }
}
