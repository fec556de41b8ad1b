import ArgumentParser

/// A number of bytes, as "512MiB", "2GiB", "1500000" or "4GB".
struct ByteSize: ExpressibleByArgument {
    let count: Int

    private static let units: [(suffix: String, factor: Double)] = [
        ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40),
        ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1), ("", 1),
    ]

    init?(argument: String) {
        guard let unit = Self.units.first(where: { argument.hasSuffix($0.suffix) }),
            let number = Double(argument.dropLast(unit.suffix.count)),
            number > 0, number * unit.factor <= 0x1p46
        else { return nil }
        count = Int(number * unit.factor)
    }
}
