package import SystemModel

extension DeviceDescription {
    /// Checks what a device says about itself.
    ///
    /// - Throws: `WireError` naming the field: names printable and at most `Limits.nameBytes`,
    ///   memory and cores positive and within `Limits`, rates finite and positive, `pairSeconds`
    ///   and `diskBytes` within `Limits`.
    package func validate() throws(WireError) {
        try Requirements.name(name, "device: name")
        try Requirements.name(instructionSet, "device: instructionSet")
        try Requirements.range(memoryBytes, 1...Limits.deviceMemoryBytes, "device: memoryBytes")
        try Requirements.range(
            diskBytes ?? 0, 0...Limits.deviceDiskBytes, "device: diskBytes")
        try Requirements.range(cores, 1...Limits.deviceCores, "device: cores")
        try Requirements.rate(memoryGigabytesPerSecond, "device: memoryGigabytesPerSecond")
        try Requirements.rate(gigaflopsPerSecond, "device: gigaflopsPerSecond")
        guard pairSeconds.map({ 0...Limits.pairSeconds ~= $0 }) ?? true else {
            throw WireError(
                .invalid,
                "device: pairSeconds is \(pairSeconds ?? 0); it must be in 0..."
                    + "\(Limits.pairSeconds)")
        }
    }
}
