/// The largest values that a registry takes, each with its reason.
package enum RegistryLimits {
    /// Bytes of a key: a prefix and a name of 128 bytes, each of them written as three.
    package static let keyBytes = 512
    /// Bytes of a value: a device's description is under 1 KiB, a plan of thousands of experts
    /// under 64 KiB.
    package static let valueBytes = 64 << 10
    /// Keys at once: ten for each of 400 machines.
    package static let entries = 4096
    /// Leases at once: one for each session of 64 base stations with 16 devices each.
    package static let leases = 1024
    /// How long a lease may live without a sign of life: below it, late threads would look like
    /// lost machines; above it, lost machines are noticed too late. etcd counts whole seconds.
    package static let timeToLive = Duration.seconds(1)...Duration.seconds(3600)
    /// Changes that are remembered for readers: more than happen while a reader is busy.
    package static let history = 1024
}
