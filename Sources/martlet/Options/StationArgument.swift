import ArgumentParser

/// A base station to serve, and perhaps the memory promised to it: "HOST:PORT" or "HOST:PORT=2GiB".
struct StationArgument: ExpressibleByArgument {
    let endpoint: Endpoint
    /// Nil: an equal part of what others leave.
    let quota: ByteSize?

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let endpoint = Endpoint(argument: String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            (self.endpoint, quota) = (endpoint, nil)
            return
        }
        guard let quota = ByteSize(argument: String(parts[1])) else { return nil }
        (self.endpoint, self.quota) = (endpoint, quota)
    }
}
