/// The texts of `format` as patterns. Each takes only what is right by its standard; some right
/// texts that hardly anybody writes are left out.
enum TextFormats {
    /// The formats that are known, in alphabetical order.
    static var names: [String] { patterns.keys.sorted() }

    static func pattern(_ name: String) -> String? { patterns[name].map { "^(?:\($0))$" } }

    private static let patterns = [
        "date": date, "time": time, "date-time": "(?:\(date))T(?:\(time))", "uuid": uuid,
        "ipv4": "(?:\(octet)\\.){3}\(octet)", "email": email,
    ]

    /// RFC 3339 from year 0001: no 30th of February, and the 29th in leap years.
    private static let date: String = {
        let year = "(?:\\d{3}[1-9]|\\d\\d[1-9]0|\\d[1-9]00|[1-9]000)"
        let hundreds = "(?:[02468][48]|[2468]0|[13579][26])"
        let leap = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|\(hundreds)00)"
        let days31 = "(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])"
        let days30 = "(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
        let february = "02-(?:0[1-9]|1\\d|2[0-8])"
        return "\(year)-(?:\(days31)|\(days30)|\(february))|\(leap)-02-29"
    }()

    /// RFC 3339 without leap seconds, at most microseconds.
    private static let time =
        "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,6})?"
        + "(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"

    /// RFC 9562.
    private static let uuid = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"

    /// Without leading zeros.
    private static let octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"

    /// The part of RFC 5321 that people use: no quotation marks, no addresses in brackets.
    private static let email: String = {
        let atom = "[A-Za-z0-9_%+-]{1,20}"
        let label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,18}[A-Za-z0-9])?"
        return "\(atom)(?:\\.\(atom)){0,2}@(?:\(label)\\.){1,3}[A-Za-z]{2,18}"
    }()
}
