/// An `ExpertCachingProblem` with names and nesting taken away: everything is a number, lists that
/// belong together lie together.
///
/// A *layer* is one layer of one model, an *expert* one of those of all models in a row. An *entry*
/// is one activation with a user's weight; a *cell* is one user's view of one expert, made only for
/// experts that the user's activations have. Entries are ordered by layer and user, cells by expert
/// and user.
struct CachingIndex: Sendable {
    /// One layer of one model.
    struct Layer: Sendable {
        let model: Int
        let layer: Int
        /// Its experts.
        let experts: Range<Int>
        /// Bytes of one expert.
        let bytes: Int
        let entries: Range<Int>
        /// Whether each of its sets has one expert.
        let isSingle: Bool
    }

    /// `[servers]`: room, bytes.
    private(set) var storage: [Int]
    let userCount: Int
    let layers: [Layer]
    /// `[experts]`.
    let expertLayer: ContiguousArray<Int32>
    /// `[servers][users]`, s.
    private(set) var serverSeconds: ContiguousArray<Double>
    /// `[cells]`.
    let cellUser: ContiguousArray<Int32>
    let cellExpert: ContiguousArray<Int32>
    /// Latency with nothing cached, s.
    let cellSeconds: ContiguousArray<Double>
    /// `[experts + 1]`: an expert's cells.
    let expertCells: ContiguousArray<Int32>
    /// `[cells + 1]`, and entries of a cell.
    let cellStart: ContiguousArray<Int32>
    let cellEntries: ContiguousArray<Int32>
    /// `[entries]`.
    let entryUser: ContiguousArray<Int32>
    /// The user's share times the probability.
    let entryWeight: ContiguousArray<Double>
    /// The entry's experts as a set; users' entries with the same experts have the same.
    let entrySet: ContiguousArray<Int32>
    /// `[sets + 1]`, and experts of a set, ascending.
    let setStart: ContiguousArray<Int32>
    let setExperts: ContiguousArray<Int32>
    /// `[entries + 1]`, and cells of an entry, by expert.
    let entryStart: ContiguousArray<Int32>
    let entryCells: ContiguousArray<Int32>

    var serverCount: Int { storage.count }
    var expertCount: Int { expertLayer.count }
    var entryCount: Int { entryUser.count }

    /// The user's time for an expert at a server, s.
    func seconds(server: Int, user: Int) -> Double { serverSeconds[server * userCount + user] }

    /// A server with other room at other distances.
    mutating func change(_ server: Int, storageBytes: Int, userSeconds: [Double]) {
        storage[server] = storageBytes
        for (user, seconds) in userSeconds.enumerated() {
            serverSeconds[server * userCount + user] = seconds
        }
    }

    func cells(of expert: Int) -> Range<Int> {
        Int(expertCells[expert])..<Int(expertCells[expert + 1])
    }

    func members(of entry: Int) -> Range<Int> {
        Int(entryStart[entry])..<Int(entryStart[entry + 1])
    }

    func bytes(of expert: Int) -> Int { layers[Int(expertLayer[expert])].bytes }

    func name(of expert: Int) -> CachedExpert {
        let layer = layers[Int(expertLayer[expert])]
        return CachedExpert(
            model: layer.model, layer: layer.layer, expert: expert - layer.experts.lowerBound)
    }
}

extension CachingIndex {
    /// - Complexity: O(n log n) for n experts named in activations.
    init(_ problem: ExpertCachingProblem) {
        let layout = Layout(problem)
        let activations = layout.sorted(problem.activations)
        let cells = layout.cells(activations)
        let total = problem.users.reduce(0) { $0 + $1.weight }
        storage = problem.servers.map(\.storageBytes)
        userCount = problem.users.count
        expertLayer = layout.expertLayer
        serverSeconds = Self.transposed(problem)
        cellUser = ContiguousArray(cells.map { Int32($0.user) })
        cellExpert = ContiguousArray(cells.map { Int32($0.expert) })
        cellSeconds = layout.seconds(cells)
        expertCells = Self.starts(cells.map(\.expert), count: layout.expertLayer.count)
        entryUser = ContiguousArray(activations.map { Int32($0.user) })
        entryWeight = ContiguousArray(
            activations.map { problem.users[$0.user].weight / total * $0.probability })
        (entrySet, setStart, setExperts) = Self.sets(activations)
        let numbers = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($1, $0) })
        let members = activations.flatMap { activation in
            activation.experts.map { expert in
                numbers[Cell(expert: expert, user: activation.user)] ?? 0
            }
        }
        entryCells = ContiguousArray(members.map(Int32.init))
        var start: ContiguousArray<Int32> = [0]
        for activation in activations {
            start.append(start[start.count - 1] + Int32(activation.experts.count))
        }
        entryStart = start
        (cellStart, cellEntries) = Self.inverse(activations, members, count: cells.count)
        layers = layout.layers(activations)
    }

    private static func transposed(_ problem: ExpertCachingProblem) -> ContiguousArray<Double> {
        var seconds = ContiguousArray<Double>()
        seconds.reserveCapacity(problem.servers.count * problem.users.count)
        for server in problem.servers.indices {
            for user in problem.users { seconds.append(user.serverSeconds[server]) }
        }
        return seconds
    }

    /// Where each of `0..<count` begins in ascending `values`.
    fileprivate static func starts(_ values: [Int], count: Int) -> ContiguousArray<Int32> {
        var starts = ContiguousArray<Int32>(repeating: 0, count: count + 1)
        for value in values { starts[value + 1] += 1 }
        for value in 0..<count { starts[value + 1] += starts[value] }
        return starts
    }

    /// Number of each activation's set, and the sets themselves.
    private static func sets(
        _ activations: [Activation]
    ) -> (numbers: ContiguousArray<Int32>, start: ContiguousArray<Int32>, ContiguousArray<Int32>) {
        var known: [[Int]: Int32] = [:]
        var start: ContiguousArray<Int32> = [0]
        var experts: ContiguousArray<Int32> = []
        let numbers = activations.map { activation -> Int32 in
            let next = Int32(start.count - 1)
            let number = known[activation.experts] ?? next
            guard number == next else { return number }
            known[activation.experts] = next
            experts.append(contentsOf: activation.experts.map(Int32.init))
            start.append(Int32(experts.count))
            return next
        }
        return (ContiguousArray(numbers), start, experts)
    }

    /// The entries of each cell.
    private static func inverse(
        _ activations: [Activation], _ members: [Int], count: Int
    ) -> (ContiguousArray<Int32>, ContiguousArray<Int32>) {
        let starts = starts(members, count: count)
        var next = starts
        var entries = ContiguousArray<Int32>(repeating: 0, count: members.count)
        var position = 0
        for (entry, activation) in activations.enumerated() {
            for _ in activation.experts {
                let cell = members[position]
                entries[Int(next[cell])] = Int32(entry)
                next[cell] += 1
                position += 1
            }
        }
        return (starts, entries)
    }

    fileprivate struct Cell: Hashable, Comparable {
        let expert: Int
        let user: Int

        static func < (left: Self, right: Self) -> Bool {
            (left.expert, left.user) < (right.expert, right.user)
        }
    }

    /// Where every model's layers and experts lie in the rows of all.
    fileprivate struct Layout {
        let problem: ExpertCachingProblem
        let firstLayer: [Int]
        let firstExpert: [Int]
        let expertLayer: ContiguousArray<Int32>

        init(_ problem: ExpertCachingProblem) {
            self.problem = problem
            var (layers, experts) = ([0], [0])
            var expertLayer = ContiguousArray<Int32>()
            for model in problem.models {
                for layer in 0..<model.layers {
                    let number = Int32(layers[layers.count - 1] + layer)
                    expertLayer.append(contentsOf: repeatElement(number, count: model.experts))
                }
                layers.append(layers[layers.count - 1] + model.layers)
                experts.append(experts[experts.count - 1] + model.layers * model.experts)
            }
            (firstLayer, firstExpert, self.expertLayer) = (layers, experts, expertLayer)
        }

        /// Activations whose layer and experts are rows' numbers, by layer and user, each set
        /// ascending.
        func sorted(_ activations: [Activation]) -> [Activation] {
            let numbered = activations.map { activation -> Activation in
                let user = problem.users[activation.user]
                let first =
                    firstExpert[user.model] + activation.layer * problem.models[user.model].experts
                return Activation(
                    user: activation.user, layer: firstLayer[user.model] + activation.layer,
                    experts: activation.experts.map { first + $0 }.sorted(),
                    probability: activation.probability)
            }
            let order = numbered.indices.sorted {
                let (left, right) = (numbered[$0], numbered[$1])
                return (left.layer, left.user, $0) < (right.layer, right.user, $1)
            }
            return order.map { numbered[$0] }
        }

        func cells(_ activations: [Activation]) -> [Cell] {
            var all = activations.flatMap { activation in
                activation.experts.map { Cell(expert: $0, user: activation.user) }
            }
            all.sort()
            var cells: [Cell] = []
            for cell in all where cells.last != cell { cells.append(cell) }
            return cells
        }

        func seconds(_ cells: [Cell]) -> ContiguousArray<Double> {
            let held = problem.users.enumerated().map { number, user in
                let model = problem.models[user.model]
                return Set(
                    user.local.map {
                        firstExpert[user.model] + $0.layer * model.experts + $0.expert
                    })
            }
            return ContiguousArray(
                cells.map { cell in
                    let user = problem.users[cell.user]
                    let isLocal = held[cell.user].contains(cell.expert)
                    return isLocal ? min(user.localSeconds, user.cloudSeconds) : user.cloudSeconds
                })
        }

        func layers(_ activations: [Activation]) -> [Layer] {
            let starts = starts(activations.map(\.layer), count: firstLayer[problem.models.count])
            return problem.models.enumerated().flatMap { number, model in
                (0..<model.layers).map { layer in
                    let row = firstLayer[number] + layer
                    let entries = Int(starts[row])..<Int(starts[row + 1])
                    let first = firstExpert[number] + layer * model.experts
                    return Layer(
                        model: number, layer: layer, experts: first..<first + model.experts,
                        bytes: model.expertBytes, entries: entries,
                        isSingle: activations[entries].allSatisfy { $0.experts.count == 1 })
                }
            }
        }

        private func starts(_ values: [Int], count: Int) -> ContiguousArray<Int32> {
            CachingIndex.starts(values, count: count)
        }
    }
}
