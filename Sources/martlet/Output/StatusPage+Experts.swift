import Foundation

/// Where experts are, on their way, planned, and how often they were visited.
extension StatusPage {
    /// Most experts listed as the most visited, and most changes of the plan.
    private static let (hottestShown, changesShown) = (8, 3)

    /// A line for each device that lacks something; one for all where none does.
    var shipments: String {
        let given = status.devices.compactMap { device in
            device.shipment.map { (device: device, shipment: $0) }
        }.filter { $0.shipment.doneBytes + $0.shipment.leftBytes > 0 }
        guard !given.isEmpty else { return "" }
        let lines = given.filter { $0.shipment.leftBytes > 0 }.map { device, shipment in
            let total = shipment.doneBytes + shipment.leftBytes
            let left = shipment.secondsLeft.map { ", \(Int($0.rounded(.up))) s left" } ?? ""
            return "  \(device.name): \(Readable.bytes(shipment.doneBytes)) of "
                + "\(Readable.bytes(total)), \(Readable.bytes(Int(shipment.bytesPerSecond)))/s"
                + left
        }
        let shipped = given.reduce(0) { $0 + $1.device.shippedBytes }
        let cached = given.reduce(0) { $0 + $1.device.cachedBytes }
        let sum = "\(Readable.bytes(shipped)) shipped, \(Readable.bytes(cached)) from caches"
        let head = lines.isEmpty ? "everything is there" : "on their way"
        let kept = given.reduce(0) { $0 + $1.device.keptExperts }
        let keptBytes = given.reduce(0) { $0 + $1.device.keptBytes }
        let ahead =
            kept > 0 ? "; \(kept) more on disks ahead of need, \(Readable.bytes(keptBytes))" : ""
        return (["experts to devices: \(head); \(sum)\(ahead)"] + lines).joined(separator: "\n")
    }

    /// What a token was to take and takes, and the last changes.
    var plan: String {
        guard let plan = status.plan, let since = plan.sinceUnixTime else { return "" }
        let source = plan.file.map { "from \($0)" } ?? plan.source
        let way = plan.underWay ? ", on its way" : ""
        func figures(_ name: String, _ token: Status.Plan.Token?) -> String? {
            token.map {
                "  a token \(name): \(Self.time($0.secondsPerToken)), "
                    + "\(Self.figure($0.roundTripsPerToken)) round trips, "
                    + "\(Self.figure($0.framesPerToken)) frames"
            }
        }
        let lines = [
            figures("foreseen", plan.foreseen),
            figures("measured over \(plan.measured?.tokens ?? 0)", plan.measured),
        ]
        let changes = plan.changes.suffix(Self.changesShown).map {
            "  \(Self.clock($0.unixTime)) \($0.text)"
        }
        let head = "plan: \(source), since \(Self.clock(since))\(way)"
        return ([head] + lines.compactMap(\.self) + changes).joined(separator: "\n")
    }

    /// A row for each layer; a letter for each expert's device, "*" for the base station's memory,
    /// "." for its file.
    var homes: String {
        let resident = placement.resident.flatMap { Data(base64Encoded: $0) }
        guard !placement.devices.isEmpty || resident?.isEmpty == false else { return "" }
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        func letter(_ index: Int) -> String {
            index < letters.count ? String(letters[index]) : "#"
        }
        let width = placement.layers.map(\.count).max() ?? 0
        func isResident(_ layer: Int, _ expert: Int) -> Bool {
            let number = layer * width + expert
            guard let resident, number / 8 < resident.count else { return false }
            return resident[number / 8] >> (number % 8) & 1 == 1
        }
        let legend = placement.devices.enumerated().map { index, name in
            let copies = index < placement.copies.count ? Self.count(placement.copies[index]) : 0
            return "\(letter(index)) \(name)" + (copies > 0 ? " and \(copies) copies" : "")
        }
        let rows = placement.layers.enumerated().map { number, layer in
            let cells = layer.enumerated().map { expert, home in
                home.map(letter) ?? (isResident(number, expert) ? "*" : ".")
            }.joined()
            return "  layer \(number): " + (cells.isEmpty ? "no experts" : cells)
        }
        let station =
            resident == nil ? ". base station" : "* base station's memory, . in no memory"
        let head = "experts: " + (legend + [station]).joined(separator: ", ")
        return ([head] + rows).joined(separator: "\n")
    }

    /// The most visited experts of all layers.
    var hottest: String {
        guard popularity.visits > 0, popularity.experts > 0,
            let parts = Data(base64Encoded: popularity.shares)
        else { return "" }
        let shares = stride(from: 0, to: parts.count - 1, by: 2).map { index in
            let part = Double(parts[index]) + 256 * Double(parts[index + 1])
            return (number: index / 2, share: part / 65_535 * popularity.topShare)
        }
        let most = shares.filter { $0.share > 0 }.sorted { $0.share > $1.share }
            .prefix(Self.hottestShown)
        let items = most.map { number, share in
            let (layer, expert) = number.quotientAndRemainder(dividingBy: popularity.experts)
            return "\(layer)/\(expert) \(Self.percent(share))"
        }
        return "visits: \(popularity.visits); the most, as layer/expert and share of the layer's: "
            + items.joined(separator: ", ")
    }

    private static func count(_ bits: String) -> Int {
        (Data(base64Encoded: bits) ?? Data()).reduce(0) { $0 + $1.nonzeroBitCount }
    }

    private static func figure(_ value: Double?) -> String {
        value.map { String(format: "%.2f", $0) } ?? "-"
    }
}
