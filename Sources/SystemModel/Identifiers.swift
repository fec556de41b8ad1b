/// A device of one base station, numbered by it when the device joins.
package struct DeviceID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The number; unique among the devices of one run of a base station.
    package let rawValue: UInt32

    /// Wraps a number that a base station gave out.
    package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Reads the bare number, as it stands in JSON.
    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(UInt32.self)
    }

    /// Writes the bare number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// Orders devices by the time they joined.
    package static func < (left: DeviceID, right: DeviceID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// `device 3`.
    package var description: String { "device \(rawValue)" }
}

/// One expert of one layer. Both numbers start at 0.
package struct ExpertID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The layer, counted over all layers of the model, those without experts included.
    package let layer: Int
    /// The expert within its layer.
    package let expert: Int

    /// Names an expert. Whether the model has it is not checked here.
    package init(layer: Int, expert: Int) {
        self.layer = layer
        self.expert = expert
    }

    /// Orders by layer, then by expert: the order in which a model visits them.
    package static func < (left: ExpertID, right: ExpertID) -> Bool {
        (left.layer, left.expert) < (right.layer, right.expert)
    }

    /// `layer 3 expert 17`.
    package var description: String { "layer \(layer) expert \(expert)" }
}
