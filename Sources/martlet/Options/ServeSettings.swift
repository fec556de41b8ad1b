import Foundation

/// The options of `serve` that came from the environment or a file, and where each came from.
///
/// The command line wins over the environment, that over the file, that over the default.
struct ServeSettings {
    /// An option that may be set.
    struct Option: Sendable {
        /// As on the command line, without dashes.
        let name: String
        /// Whether it is there or not, without a value.
        var isFlag = false
        /// What a server that was given these options uses.
        let used: @Sendable (Serve) -> String

        /// The variable of the environment that sets it: `MARTLET_` and the name.
        var variable: String { "MARTLET_" + name.uppercased().replacing("-", with: "_") }
    }

    /// A value and where it came from.
    struct Value: Equatable {
        /// "true" or "false" for a flag.
        let text: String
        let source: String
    }

    /// Those that the environment may set and that are told, in this order. A file may have all.
    static let options: [Option] = [
        Option(name: "model") { $0.model.model },
        Option(name: "name") { $0.http.name ?? "the file's" },
        Option(name: "http") { "\($0.http.address)" },
        Option(name: "devices-listen") { $0.devicesListen.map { "\($0)" } ?? "off" },
        Option(name: "wait-devices") { "\($0.waitDevices)" },
        Option(name: "replan") { "\($0.replanMode)" },
        Option(name: "keep-ahead") { $0.keepAhead.rawValue },
        Option(name: "activations") { "\($0.devices.activations)" },
        Option(name: "deadline") { "\($0.devices.deadline)" },
        Option(name: "max-batch") { "\($0.http.maxBatch)" },
        Option(name: "queue") { "\($0.http.queue)" },
        Option(name: "request-timeout") { "\($0.http.requestTimeout)" },
        Option(name: "kv-memory") { Readable.bytes($0.kvMemory?.count ?? Serve.kvMemory) },
        Option(name: "kv-cache") { "\($0.model.kvCache)" },
        Option(name: "load") { "\($0.model.load)" },
        Option(name: "threads") { "\($0.threads.count)" },
        Option(name: "template") { $0.template.template ?? "the model's" },
        Option(name: "api-keys") { $0.http.apiKeys ?? "none" },
        Option(name: "tls-certificate") { $0.http.tlsCertificate ?? "none" },
        Option(name: "tls-key") { $0.http.tlsKey ?? "none" },
        Option(name: "cors-origin") { $0.http.corsOrigin ?? "none" },
        Option(name: "insecure", isFlag: true) { "\($0.devices.insecure)" },
        Option(name: "verbose", isFlag: true) { "\($0.devices.verbose)" },
        Option(name: "log-level") { "\($0.log.logLevel)" },
    ]

    /// What was set, by name.
    private(set) var values: [String: Value] = [:]

    /// Sets what a file says.
    ///
    /// - Throws: `CommandError` naming the file and the option.
    mutating func add(file path: String) throws {
        for (name, text) in try ServeFile.read(path) { try add(name, text, from: path) }
    }

    /// Sets what the environment says; returns variables that look like options but are none.
    ///
    /// - Throws: `CommandError` naming the variable.
    mutating func add(environment: [String: String]) throws -> [String] {
        var unknown: [String] = []
        for (variable, text) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix("MARTLET_") && variable != "MARTLET_CONFIG" && !text.isEmpty {
            guard let option = Self.options.first(where: { $0.variable == variable }) else {
                unknown.append(variable)
                continue
            }
            try add(option.name, text, from: variable)
        }
        return unknown
    }

    /// The values as they stand on a command line.
    var arguments: [String] {
        values.sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
            switch value.text {
            case "true": ["--" + name]
            case "false": []
            default: ["--\(name)=\(value.text)"]
            }
        }
    }

    /// What `serve` uses and where it came from: lines for those that were set, one for the others.
    ///
    /// - Parameter commandLine: the arguments that win over these settings.
    func report(_ serve: Serve, commandLine: [String]) -> String {
        var set: [[String]] = []
        var others: [String] = []
        for option in Self.options {
            let flag = "--" + option.name
            let isGiven = commandLine.contains {
                $0 == flag || $0.hasPrefix(flag + "=") || flag == "--verbose" && $0 == "-v"
            }
            let source = isGiven ? "command line" : values[option.name]?.source
            if let source {
                set.append(["  " + option.name, option.used(serve), "(\(source))"])
            } else {
                others.append("\(option.name) \(option.used(serve))")
            }
        }
        let told = Set(Self.options.map(\.name))
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where !told.contains(name) {
            set.append(["  " + name, value.text, "(\(value.source))"])
        }
        return Readable.table(set, aligned: .left) + "\n  by default: "
            + others.joined(separator: ", ")
    }

    private mutating func add(_ name: String, _ text: String, from source: String) throws {
        guard name != "config" else {
            throw CommandError("\(source): config: cannot be set by what it names")
        }
        // What is not in the table is left to the command line's own checks.
        guard Self.options.first(where: { $0.name == name })?.isFlag == true else {
            values[name] = Value(text: text, source: source)
            return
        }
        let isOn: Bool
        switch text.lowercased() {
        case "true", "yes", "on", "1": isOn = true
        case "false", "no", "off", "0": isOn = false
        default: throw CommandError("\(source): \(name): must be true or false, not \"\(text)\"")
        }
        values[name] = Value(text: "\(isOn)", source: source)
    }
}
