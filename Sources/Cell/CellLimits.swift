/// What a cell lets one peer use.
package enum CellLimits {
    /// Bytes of one direction of a connection that wait in the cell; then it reads no more until
    /// half of them have gone. One read more may come on top.
    package static let waitingBytes = 1 << 20
    /// Bytes of one read, and so the most by which `waitingBytes` may be passed.
    package static let readBytes = 64 << 10
    /// Devices: each has a port of its own.
    package static let devices = 256
    /// Connections of one device at once: a martlet device has two, others have a few.
    package static let connectionsPerDevice = 64
    /// Connections to the control port at once.
    package static let controlConnections = 8
    /// One line to the control port: a share for each device takes about 40 bytes.
    package static let controlLineBytes = 64 << 10
    /// Longest time for which shares may be set.
    package static let shareSeconds = 3_600.0
}
