import ChatTemplates
import Testing

/// Dates from seconds, by known days.
struct CivilTimeTests {
    @Test(arguments: [
        (0, CivilTime(year: 1970, month: 1, day: 1)),
        (951_782_400, CivilTime(year: 2000, month: 2, day: 29)),
        (1_768_469_400, CivilTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30)),
        (-1, CivilTime(year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59)),
        (4_107_542_399, CivilTime(year: 2100, month: 2, day: 28, hour: 23, minute: 59, second: 59)),
    ])
    func countsFrom1970(seconds: Int, expected: CivilTime) {
        #expect(CivilTime(secondsSince1970: seconds) == expected)
        #expect(CivilTime(secondsSince1970: seconds - 3600, offset: 3600) == expected)
    }

    @Test func readsOneFormOfText() {
        #expect(
            CivilTime("2026-01-15T09:30:05")
                == CivilTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30, second: 5))
        #expect(CivilTime("2024-02-29T00:00:00") != nil)
        for text in [
            "", "2026-01-15", "2026-01-15 09:30:00", "2026-1-15T09:30:00", "2023-02-29T00:00:00",
            "2026-04-31T00:00:00", "2026-13-01T00:00:00", "2026-01-15T24:00:00",
            "2026-01-15T09:60:00", "0000-01-01T00:00:00", "2026-01-15T09:30:00Z",
            "+026-01-15T09:30:00", "2026-01-15T09:-1:00",
        ] {
            #expect(CivilTime(text) == nil, "\(text)")
        }
    }
}
