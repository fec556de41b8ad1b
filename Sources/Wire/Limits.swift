/// The largest values that Wire accepts from a peer, each with its reason.
///
/// A peer that exceeds one is refused with an error that names it. They bound the memory and the
/// time that a connection can cost before anything about it is known to be true.
package enum Limits {
    private static let mebibyte = 1 << 20

    /// Kind and payload of one frame, in bytes. 512 rows of 16,384 fp32 activations are 32 MiB; the
    /// rest is room for their pairs and for larger prefill batches.
    package static let frameBytes = 64 * mebibyte
    /// Kind and payload of the first frame of a connection, in bytes. A hello or a welcome is well
    /// under 1 KiB; an unknown peer cannot make us hold more than this.
    package static let handshakeFrameBytes = 64 << 10
    /// One JSON control message, in bytes. The largest is an assignment of `expertsPerAssignment`
    /// experts of three tensors each, about 600 bytes per expert.
    package static let controlMessageBytes = 16 * mebibyte
    /// Rows (tokens) in one expert batch. Prefill goes in batches of hundreds.
    package static let rowsPerBatch = 4096
    /// Columns of an activation. The widest published MoE models have 16,384.
    package static let hiddenSize = 32_768
    /// Experts that one token may visit. Published models use at most 32.
    package static let expertsPerToken = 64
    /// (row, expert) pairs in one batch: every row at its maximum.
    package static let pairsPerBatch = rowsPerBatch * expertsPerToken
    /// Layers of a model. The deepest published ones have about 130.
    package static let layers = 1024
    /// Experts in one layer. Published models have up to 512.
    package static let expertsPerLayer = 4096
    /// Experts in one assignment message, those to keep on disk included: a 58-layer model with 256
    /// experts each is 14,848.
    package static let expertsPerAssignment = 16_384
    /// Tensors of one expert: three matrices, their biases and scales, with room to spare.
    package static let tensorsPerExpert = 16
    /// Rows or columns of an expert's tensor. The widest published inner size is 32,768.
    package static let tensorDimension = 1 << 18
    /// Bytes of one expert's blob. The largest published expert is about 1.2 GiB in bf16.
    package static let expertBytes = 4 << 30
    /// Data bytes in one bulk chunk: small enough to hash and retry cheaply, large enough that a
    /// request per chunk costs nothing beside its transfer.
    package static let chunkBytes = 1 * mebibyte
    /// Requests of one device that may wait for their chunks: eight times what ours asks for ahead.
    package static let fetches = 256
    /// UTF-8 bytes of a name that people or code give (device, format, activation function).
    package static let nameBytes = 128
    /// UTF-8 bytes of a message that a peer wants a person to read.
    package static let messageBytes = 4096
    /// Memory a device may offer, in bytes: 64 TiB, more than one machine has.
    package static let deviceMemoryBytes = 64 << 40
    /// Disk a device may offer, in bytes: 1 PiB, more than one machine has.
    package static let deviceDiskBytes = 1 << 50
    /// Cores a device may claim.
    package static let deviceCores = 65_536
    /// The largest rate a device may claim, in 10⁹ per second: a thousand of today's largest GPUs.
    package static let deviceGigaRate = 1e9
    /// Longest time that a device may say a pair takes it, in seconds; a deadline allows for it.
    package static let pairSeconds = 60.0
    /// Shortest and longest interval between heartbeats, in milliseconds: below it they load the
    /// radio, above it a lost device is noticed too late.
    package static let heartbeatMilliseconds = 50...60_000
    /// Bytes that may wait for a peer that does not read; then its link is closed. Two frames of
    /// the largest size, so that one being sent never blocks the next.
    package static let outboundBytes = 2 * (frameBytes + 4)
    /// Connections a listener holds at once: a control and a bulk one for each of 256 devices.
    package static let connections = 512
}
