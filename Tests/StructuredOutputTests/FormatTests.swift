import OrderedJSON
import Testing

@testable import StructuredOutput

/// What `format` takes and what not.
struct FormatTests {
    @Test(arguments: [
        (
            "date", ["2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01"],
            ["2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "0000-01-01", "24-01-01"]
        ),
        ("time", ["23:59:59Z", "00:00:00.5+01:30"], ["24:00:00Z", "12:00:00", "12:60:00Z"]),
        ("date-time", ["2024-01-02T03:04:05Z"], ["2024-01-02 03:04:05Z", "2024-01-02"]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000"]),
        ("ipv4", ["0.0.0.0", "255.249.99.1"], ["256.0.0.1", "1.2.3", "01.2.3.4"]),
        ("email", ["a.b@c-d.org"], ["a@b", "@c.org", "a..b@c.org", "a@-c.org"]),
    ])
    func formatsAreExact(_ format: String, _ right: [String], _ wrong: [String]) throws {
        let schema = #"{"type": "string", "format": "\#(format)"}"#
        let grammar = try Grammar(schema: try JSONValue.read(schema.utf8))
        var machine = GrammarMachine(try #require(grammar.pruned(available: .all)))
        for text in right + wrong {
            var place = machine.start
            for byte in "\"\(text)\"".utf8 where place != GrammarMachine.dead {
                place = machine.step(place, byte: byte)
            }
            let isTaken = place != GrammarMachine.dead && machine.isComplete(place)
            #expect(isTaken == right.contains(text), "\(text)")
        }
    }

    @Test func leapYearsAreKnown() throws {
        let date = try #require(TextFormats.pattern("date"))
        for year in 1...2100 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let text = String("000\(year)".suffix(4)) + "-02-29"
            #expect(SchemaValidator.matches(date, text) == isLeap, "\(year)")
        }
    }
}
