/// A date and time of day, given to a template that asks for the time.
package struct CivilTime: Sendable, Equatable {
    /// Year of the Gregorian calendar, 1…9999.
    package var year: Int
    /// 1…12.
    package var month: Int
    /// 1…31.
    package var day: Int
    /// 0…23.
    package var hour: Int
    /// 0…59.
    package var minute: Int
    /// 0…59.
    package var second: Int
    /// 0…999,999.
    package var microsecond: Int

    /// A date and time whose parts are in their ranges.
    package init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
        microsecond: Int = 0
    ) {
        precondition((1...12).contains(month), "A month is 1 to 12.")
        precondition((1...31).contains(day), "A day is 1 to 31.")
        precondition((0..<24).contains(hour) && (0..<60).contains(minute), "A time of day.")
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
        self.microsecond = microsecond
    }

    /// The date and time so many seconds after 1970-01-01 00:00 UTC, where clocks are
    /// `offset` seconds ahead of UTC.
    ///
    /// The days are counted in eras of 400 years that start in March (Howard Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms").
    package init(secondsSince1970 seconds: Int, offset: Int = 0) {
        let local = seconds + offset
        let days = Self.floorDivide(local, 86_400)
        let time = local - days * 86_400
        let shifted = days + 719_468
        let era = Self.floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, hour: time / 3600,
            minute: time / 60 % 60, second: time % 60)
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : (value + 1) / divisor - 1
    }

    /// Days since 1970-01-01, by the same source.
    private var days: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = Self.floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }

    /// Without the fraction, for clocks at UTC.
    var secondsSince1970: Int { days * 86_400 + hour * 3600 + minute * 60 + second }

    /// 0 for Sunday.
    private var weekday: Int { ((days + 4) % 7 + 7) % 7 }

    /// 1…366.
    private var dayOfYear: Int {
        days - CivilTime(year: year, month: 1, day: 1).days + 1
    }
}

extension CivilTime {
    private static let weekdays = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]

    /// Python's `strftime` in the C locale, without a time zone. Unknown directives stay.
    func formatted(_ format: String) -> String {
        var result = ""
        var rest = Array(format.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            guard scalar == "%", let directive = rest.popFirst() else {
                result.unicodeScalars.append(scalar)
                continue
            }
            if directive == "-", let next = rest.first, let text = text(next) {
                rest.removeFirst()
                result += unpadded(text)
            } else {
                result += text(directive) ?? "%" + String(directive)
            }
        }
        return result
    }

    private func unpadded(_ text: String) -> String {
        let stripped = text.drop { $0 == "0" || $0 == " " }
        return stripped.isEmpty && !text.isEmpty ? "0" : String(stripped)
    }

    private func padded(_ value: Int, _ width: Int, _ fill: String = "0") -> String {
        let text = String(value)
        return String(repeating: fill, count: max(0, width - text.count)) + text
    }

    private var hourOfHalfDay: Int { hour % 12 == 0 ? 12 : hour % 12 }

    private func text(_ directive: Unicode.Scalar) -> String? {
        switch directive {
        case "Y": String(year)
        case "y": padded(year % 100, 2)
        case "C": padded(year / 100, 2)
        case "m": padded(month, 2)
        case "d": padded(day, 2)
        case "e": padded(day, 2, " ")
        case "H": padded(hour, 2)
        case "I": padded(hourOfHalfDay, 2)
        case "k": padded(hour, 2, " ")
        case "l": padded(hourOfHalfDay, 2, " ")
        case "M": padded(minute, 2)
        case "S": padded(second, 2)
        case "f": padded(microsecond, 6)
        case "p": hour < 12 ? "AM" : "PM"
        case "P": hour < 12 ? "am" : "pm"
        case "a": String(Self.weekdays[weekday].prefix(3))
        case "A": Self.weekdays[weekday]
        case "b", "h": String(Self.months[month - 1].prefix(3))
        case "B": Self.months[month - 1]
        case "w": String(weekday)
        case "u": String(weekday == 0 ? 7 : weekday)
        case "j": padded(dayOfYear, 3)
        case "U": padded((dayOfYear + 6 - weekday) / 7, 2)
        case "W": padded((dayOfYear + 6 - (weekday + 6) % 7) / 7, 2)
        case "V": padded(isoWeek.week, 2)
        case "G": String(isoWeek.year)
        case "s": String(secondsSince1970)
        case "Z", "z": ""
        case "n": "\n"
        case "t": "\t"
        case "%": "%"
        default: composed(directive).map(formatted)
        }
    }

    /// Directives that stand for others.
    private func composed(_ directive: Unicode.Scalar) -> String? {
        switch directive {
        case "c": "%a %b %e %H:%M:%S %Y"
        case "x", "D": "%m/%d/%y"
        case "X", "T": "%H:%M:%S"
        case "F": "%Y-%m-%d"
        case "R": "%H:%M"
        case "r": "%I:%M:%S %p"
        default: nil
        }
    }

    /// The week by ISO 8601: the one that holds the Thursday.
    private var isoWeek: (year: Int, week: Int) {
        let thursday = CivilTime(secondsSince1970: (days - (weekday + 6) % 7 + 3) * 86_400)
        return (thursday.year, (thursday.dayOfYear - 1) / 7 + 1)
    }
}
