extension CivilTime {
    /// Reads `YYYY-MM-DDThh:mm:ss`; nil for any other text and for a day that does not exist.
    package init?(_ text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { "-T:".contains($0) }
        let shape = text.filter { "-T:".contains($0) }
        guard shape == "--T::", parts.map(\.utf8.count) == [4, 2, 2, 2, 2, 2],
            text.utf8.allSatisfy({ (0x2D...0x3A).contains($0) || $0 == UInt8(ascii: "T") })
        else { return nil }
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == 6, numbers[0] >= 1, (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2]), numbers[3] < 24, numbers[4] < 60, numbers[5] < 60
        else { return nil }
        self.init(
            year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3],
            minute: numbers[4], second: numbers[5])
        // A day past the month's end comes back as one of the next month.
        guard formatted("%d") == CivilTime(secondsSince1970: secondsSince1970).formatted("%d")
        else { return nil }
    }
}
