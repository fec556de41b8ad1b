import OrderedJSON
import SystemModel

extension CellStatus {
    /// Where the experts are: names, and by layer and expert an index into them, or null for the
    /// base station; by name a bit for each expert that it holds a copy of (`ExpertGrid`); the same
    /// for what the base station's memory holds, or null where that is not told apart.
    static func placement(_ places: ExpertPlaces) -> JSONValue {
        var indexes: [String: Int] = [:]
        let layers = places.homes.map { layer in
            JSONValue.array(
                layer.map { name in
                    guard let name else { return .null }
                    let index = indexes[name] ?? indexes.count
                    indexes[name] = index
                    return .integer(index)
                })
        }
        for name in places.copies.keys.sorted() where indexes[name] == nil {
            indexes[name] = indexes.count
        }
        let names = indexes.sorted { $0.value < $1.value }.map(\.key)
        let grid = ExpertGrid(places)
        return .members([
            ("devices", .array(names.map(JSONValue.text))), ("layers", .array(layers)),
            ("copies", .array(names.map { .text(grid.bits(places.copies[$0] ?? [])) })),
            ("resident", places.resident.map { .text(grid.bits($0)) } ?? .null),
        ])
    }

    /// How often experts were visited: the number of visits, the greatest share that an expert has
    /// of its layer's, and of every expert in how many 65,535th parts of that its own share is
    /// (`ExpertGrid`).
    static func popularity(_ visits: [[Int]], _ places: ExpertPlaces) -> JSONValue {
        let grid = ExpertGrid(places)
        let shares = visits.map { layer in
            let total = layer.reduce(0, +)
            return layer.map { total > 0 ? Double($0) / Double(total) : 0 }
        }
        let top = shares.joined().max() ?? 0
        return .members([
            ("visits", .integer(visits.joined().reduce(0, +))),
            ("experts", .integer(grid.width)), ("top_share", .decimal(top)),
            ("shares", .text(grid.parts(shares, of: top))),
        ])
    }
}
