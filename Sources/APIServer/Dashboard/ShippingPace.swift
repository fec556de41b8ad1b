import SystemModel

/// How fast experts reach a device, from looks one after another.
struct ShippingPace: Equatable {
    /// Bytes of experts that it has, of those it was given.
    let doneBytes: Int
    let leftBytes: Int
    /// Over the link, of late.
    let bytesPerSecond: Double
    /// Nil where nothing is left, or nothing comes.
    let secondsLeft: Double?

    /// - Parameter looks: earlier ones in order of time: when, and the bytes shipped to the device
    ///   by then; nil when it was not there. Counts begin again at 0 with an assignment.
    init(_ device: CellSnapshot.Device, looks: [(time: Duration, shippedBytes: Int?)]) {
        doneBytes = device.readyBytes
        leftBytes = max(0, device.assignedBytes - device.readyBytes)
        let present = Array(looks.drop { $0.shippedBytes == nil })
        // The time before it began does not count.
        let idle = zip(present, present.dropFirst()).prefix { $0.shippedBytes == $1.shippedBytes }
        let seen = present.dropFirst(idle.count)
        var shipped = 0
        for (before, after) in zip(seen, seen.dropFirst()) {
            let (old, new) = (before.shippedBytes ?? 0, after.shippedBytes ?? 0)
            shipped += new >= old ? new - old : new
        }
        let seconds = ((seen.last?.time ?? .zero) - (seen.first?.time ?? .zero)).seconds
        bytesPerSecond = seconds > 0 ? Double(shipped) / seconds : 0
        secondsLeft =
            leftBytes > 0 && bytesPerSecond > 0 ? Double(leftBytes) / bytesPerSecond : nil
    }
}
