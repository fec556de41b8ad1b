/// A placement and what every user feels of it, kept up to date expert by expert: storing or
/// dropping one expert touches only the users and sets that ask for it.
struct CachingState {
    private(set) var index: CachingIndex
    /// `[servers]`: experts, ascending.
    private(set) var content: [[Int]]
    /// `[servers]`.
    private(set) var freeBytes: [Int]
    /// `[cells]`: `τ_u(e; X)`, s.
    private(set) var seconds: ContiguousArray<Double>
    /// `[entries]`: `T_u(A; X)`, s.
    private(set) var entrySeconds: ContiguousArray<Double>
    /// Like `index.entryCells`, but each entry's from slowest to fastest: positions within the set.
    private(set) var order: ContiguousArray<UInt8>
    /// `[cells]`: the server that serves it, or -1 for the user itself and the cloud.
    private var source: ContiguousArray<Int32>
    /// `[experts]`: servers, in the order in which they took it.
    private var holders: [[Int32]]
    /// `[entries]`: `T_u(A)` with nothing cached, s.
    private(set) var emptySeconds: ContiguousArray<Double>

    /// Nothing is stored.
    init(_ index: CachingIndex) {
        self.index = index
        content = Array(repeating: [], count: index.serverCount)
        freeBytes = index.storage
        seconds = index.cellSeconds
        source = ContiguousArray(repeating: -1, count: index.cellUser.count)
        holders = Array(repeating: [], count: index.expertCount)
        order = ContiguousArray(repeating: 0, count: index.entryCells.count)
        entrySeconds = ContiguousArray(repeating: 0, count: index.entryCount)
        emptySeconds = []
        for entry in 0..<index.entryCount {
            let members = index.members(of: entry)
            for (position, member) in members.enumerated() { order[member] = UInt8(position) }
            sort(entry)
        }
        emptySeconds = entrySeconds
    }

    /// `f(X)`: seconds per token saved against the cloud alone.
    var savedSeconds: Double {
        var sum = 0.0
        for entry in entrySeconds.indices {
            sum += index.entryWeight[entry] * (emptySeconds[entry] - entrySeconds[entry])
        }
        return sum
    }

    /// Mean seconds per token.
    var secondsPerToken: Double {
        var sum = 0.0
        for entry in entrySeconds.indices { sum += index.entryWeight[entry] * entrySeconds[entry] }
        return sum
    }

    func holds(_ server: Int, _ expert: Int) -> Bool {
        holders[expert].contains(Int32(server))
    }

    func isStored(_ expert: Int) -> Bool { !holders[expert].isEmpty }

    /// The cells of an entry from slowest to fastest begin at `index.entryStart[entry]`.
    func cell(_ member: Int, of entry: Int) -> Int {
        Int(index.entryCells[Int(index.entryStart[entry]) + Int(order[member])])
    }

    /// Stores an expert at a server that lacks it.
    ///
    /// - Returns: seconds per token that this saves.
    @discardableResult
    mutating func store(_ expert: Int, at server: Int) -> Double {
        var saved = 0.0
        holders[expert].append(Int32(server))
        content[server].insert(expert, at: content[server].place(of: expert))
        freeBytes[server] -= index.bytes(of: expert)
        for cell in index.cells(of: expert) {
            let offer = index.seconds(server: server, user: Int(index.cellUser[cell]))
            guard offer < seconds[cell] else { continue }
            seconds[cell] = offer
            source[cell] = Int32(server)
            saved += touch(cell)
        }
        return saved
    }

    /// Drops an expert from a server that has it.
    ///
    /// - Returns: seconds per token that this costs.
    @discardableResult
    mutating func drop(_ expert: Int, at server: Int) -> Double {
        var lost = 0.0
        holders[expert].removeAll { $0 == Int32(server) }
        content[server].remove(at: content[server].place(of: expert))
        freeBytes[server] += index.bytes(of: expert)
        for cell in index.cells(of: expert) where source[cell] == Int32(server) {
            let user = Int(index.cellUser[cell])
            seconds[cell] = index.cellSeconds[cell]
            source[cell] = -1
            for holder in holders[expert] {
                let offer = index.seconds(server: Int(holder), user: user)
                guard offer < seconds[cell] else { continue }
                seconds[cell] = offer
                source[cell] = holder
            }
            lost -= touch(cell)
        }
        return lost
    }

    /// Changes a server that stores nothing: its room, and each user's time to it.
    mutating func change(_ server: Int, storageBytes: Int, userSeconds: [Double]) {
        precondition(content[server].isEmpty, "only an empty server changes")
        index.change(server, storageBytes: storageBytes, userSeconds: userSeconds)
        freeBytes[server] = storageBytes
    }

    /// Replaces what a server stores.
    mutating func replace(_ server: Int, with experts: [Int]) {
        for expert in content[server] { drop(expert, at: server) }
        for expert in experts { store(expert, at: server) }
    }

    /// Brings the entries of a cell up to date; returns the seconds per token saved by that.
    private mutating func touch(_ cell: Int) -> Double {
        var saved = 0.0
        for place in Int(index.cellStart[cell])..<Int(index.cellStart[cell + 1]) {
            let entry = Int(index.cellEntries[place])
            let before = entrySeconds[entry]
            sort(entry)
            saved += index.entryWeight[entry] * (before - entrySeconds[entry])
        }
        return saved
    }

    /// Tells, from the slowest expert of an entry on, what storing it where it takes `offer`
    /// seconds saves once those before are stored there too.
    @inline(__always)
    func demands(
        _ entry: Int, _ offer: Double, _ tell: (_ position: Int, _ seconds: Double) -> Void
    ) {
        var last = entrySeconds[entry]
        guard last > offer else { return }
        let members = index.members(of: entry)
        let weight = index.entryWeight[entry]
        for member in members {
            let following =
                member + 1 < members.upperBound
                ? max(offer, seconds[cell(member + 1, of: entry)]) : offer
            tell(Int(order[member]), weight * (last - following))
            last = following
            guard last > offer else { return }
        }
    }

    /// What storing an expert at a server would save, seconds per token.
    func gain(_ expert: Int, at server: Int) -> Double {
        var saved = 0.0
        for cell in index.cells(of: expert) {
            let offer = index.seconds(server: server, user: Int(index.cellUser[cell]))
            guard offer < seconds[cell] else { continue }
            for place in Int(index.cellStart[cell])..<Int(index.cellStart[cell + 1]) {
                saved += gain(cell, offer, entry: Int(index.cellEntries[place]))
            }
        }
        return saved
    }

    /// Only the slowest expert of a set, and only down to the next one, makes it faster.
    private func gain(_ cell: Int, _ offer: Double, entry: Int) -> Double {
        let members = index.members(of: entry)
        guard self.cell(members.lowerBound, of: entry) == cell else { return 0 }
        var after = offer
        if members.count > 1 {
            after = max(after, seconds[self.cell(members.lowerBound + 1, of: entry)])
        }
        return index.entryWeight[entry] * (entrySeconds[entry] - after)
    }

    /// Puts an entry's cells in order, slowest first, ties by expert; insertion into an order that
    /// is almost right.
    private mutating func sort(_ entry: Int) {
        let members = index.members(of: entry)
        let first = members.lowerBound
        guard members.count > 1 else {
            entrySeconds[entry] = seconds[Int(index.entryCells[first])]
            return
        }
        for next in members.dropFirst() {
            let position = order[next]
            let value = seconds[Int(index.entryCells[first + Int(position)])]
            var place = next
            while place > first {
                let other = order[place - 1]
                let otherValue = seconds[Int(index.entryCells[first + Int(other)])]
                guard otherValue < value || (otherValue == value && other > position) else { break }
                order[place] = other
                place -= 1
            }
            order[place] = position
        }
        entrySeconds[entry] = seconds[cell(first, of: entry)]
    }

    /// The placement with the problem's own names.
    var placement: CachePlacement {
        content.map { $0.map { index.name(of: $0) } }
    }
}

extension [Int] {
    /// Where a number is or belongs in an ascending list. O(log n).
    fileprivate func place(of number: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
