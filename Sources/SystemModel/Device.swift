/// What a device offers, as it describes itself when it joins.
///
/// The figures are the device's own measurements; a planner starts from them and corrects them by
/// what it observes.
package struct DeviceDescription: Codable, Equatable, Sendable {
    /// What a device is to its base station.
    package enum Role: String, Codable, Sendable {
        /// A machine nearby, with a part of the experts.
        case device
        /// A far node with room for everything: the last to be asked.
        case cloud
    }

    /// A name for people: printable, not necessarily unique.
    package var name: String
    /// Memory for experts, in bytes.
    package var memoryBytes: Int
    /// Cores that compute experts.
    package var cores: Int
    /// The instruction set its kernels use, as the kernels name it ("avx512-vnni", "neon-dot").
    package var instructionSet: String
    /// Measured memory read rate, 10⁹ bytes per second. It bounds decoding.
    package var memoryGigabytesPerSecond: Double
    /// Measured multiply-add rate, 10⁹ floating-point operations per second. It bounds prefilling.
    package var gigaflopsPerSecond: Double
    /// Seconds that it takes for each pair of a token and an expert, where it takes its time on
    /// purpose, as a device that emulates a slower one; nil: it is as fast as it can.
    package var pairSeconds: Double?
    /// Nil: `device`.
    package var role: Role?
    /// Bytes of experts that its cache folder may hold, those that it holds in memory included;
    /// nil or 0: it has no folder.
    package var diskBytes: Int?

    /// Whether it is a far node.
    package var isCloud: Bool { role == .cloud }

    /// Describes a device. Nothing is validated here; what arrives from outside is (see Wire).
    package init(
        name: String, memoryBytes: Int, cores: Int, instructionSet: String,
        memoryGigabytesPerSecond: Double, gigaflopsPerSecond: Double,
        pairSeconds: Double? = nil, role: Role? = nil, diskBytes: Int? = nil
    ) {
        self.name = name
        self.memoryBytes = memoryBytes
        self.cores = cores
        self.instructionSet = instructionSet
        self.memoryGigabytesPerSecond = memoryGigabytesPerSecond
        self.gigaflopsPerSecond = gigaflopsPerSecond
        self.pairSeconds = pairSeconds
        self.role = role
        self.diskBytes = diskBytes
    }
}
