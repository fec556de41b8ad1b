package import SystemModel

/// Device → base: how far the device is with its assignment.
package struct AssignmentProgress: JSONMessage, Equatable {
    /// `Frame.Kind.assignmentProgress`.
    package static let kind = Frame.Kind.assignmentProgress

    /// The experts that became ready to compute since the last report.
    package let ready: [ExpertID]
    /// Bytes of this assignment that came over the bulk connection so far.
    package let bytesFetched: Int
    /// Bytes of this assignment that were on the device already.
    package let bytesFromCache: Int
    /// The experts to keep on disk that are there, and were not at the last report.
    package let kept: [ExpertID]
    /// Bytes on disk of all experts to keep there.
    package let bytesKept: Int

    /// Reports progress.
    package init(
        ready: [ExpertID], bytesFetched: Int, bytesFromCache: Int, kept: [ExpertID] = [],
        bytesKept: Int = 0
    ) {
        self.ready = ready
        self.bytesFetched = bytesFetched
        self.bytesFromCache = bytesFromCache
        self.kept = kept
        self.bytesKept = bytesKept
    }

    /// Checks counts and numbers against `Limits`; the model's facts are the receiver's to check.
    package func validate() throws(WireError) {
        try Requirements.range(
            ready.count, 0...Limits.expertsPerAssignment, "progress: ready count")
        try Requirements.range(
            kept.count, 0...Limits.expertsPerAssignment, "progress: kept count")
        for id in ready + kept {
            try Requirements.range(id.layer, 0...(Limits.layers - 1), "progress: layer")
            try Requirements.range(id.expert, 0...(Limits.expertsPerLayer - 1), "progress: expert")
        }
        let bytes = 0...Limits.deviceMemoryBytes
        try Requirements.range(bytesFetched, bytes, "progress: bytesFetched")
        try Requirements.range(bytesFromCache, bytes, "progress: bytesFromCache")
        try Requirements.range(bytesKept, 0...Limits.deviceDiskBytes, "progress: bytesKept")
    }
}

/// Device → base: it offers other memory from now on than it did. Where that is less, the base
/// station answers with an assignment that fits.
package struct Offer: JSONMessage, Equatable {
    /// `Frame.Kind.offer`.
    package static let kind = Frame.Kind.offer

    /// Memory for experts, in bytes.
    package let memoryBytes: Int

    /// Offers memory.
    package init(memoryBytes: Int) {
        self.memoryBytes = memoryBytes
    }

    /// Checks the memory as that of a device that joins.
    package func validate() throws(WireError) {
        try Requirements.range(memoryBytes, 1...Limits.deviceMemoryBytes, "offer: memoryBytes")
    }
}

/// Device → base on the bulk connection: asks for a part of a blob; a `Chunk` answers it.
package struct Fetch: JSONMessage, Equatable {
    /// `Frame.Kind.fetch`.
    package static let kind = Frame.Kind.fetch

    /// The blob.
    package let digest: BlobDigest
    /// The first byte wanted.
    package let offset: Int
    /// How many, at most `Limits.chunkBytes`.
    package let byteCount: Int

    /// Asks for bytes.
    package init(digest: BlobDigest, offset: Int, byteCount: Int) {
        self.digest = digest
        self.offset = offset
        self.byteCount = byteCount
    }

    /// Checks offset and count against `Limits`; the blob's length is the receiver's to check.
    package func validate() throws(WireError) {
        try Requirements.range(offset, 0...(Limits.expertBytes - 1), "fetch: offset")
        try Requirements.range(byteCount, 1...Limits.chunkBytes, "fetch: byteCount")
    }
}

/// Either way: something could not be done. The link stays open.
package struct Failure: JSONMessage, Equatable {
    /// `Frame.Kind.failure`.
    package static let kind = Frame.Kind.failure

    /// The batch that has no result, or nil when it was about something else.
    package let requestID: UInt64?
    /// One line for people.
    package let message: String

    /// Reports a failure. `message` is cut to `Limits.messageBytes` and to one printable line.
    package init(requestID: UInt64?, message: String) {
        self.requestID = requestID
        self.message = Requirements.line(message)
    }

    /// Checks the message's length and characters.
    package func validate() throws(WireError) {
        try Requirements.text(message, limit: Limits.messageBytes, "failure: message")
    }
}

/// Either way: the sender is about to close the link on purpose.
package struct Goodbye: JSONMessage, Equatable {
    /// `Frame.Kind.goodbye`.
    package static let kind = Frame.Kind.goodbye

    /// One line for people.
    package let reason: String

    /// Says goodbye. `reason` is cut to `Limits.messageBytes` and to one printable line.
    package init(reason: String) {
        self.reason = Requirements.line(reason)
    }

    /// Checks the reason's length and characters.
    package func validate() throws(WireError) {
        try Requirements.text(reason, limit: Limits.messageBytes, "goodbye: reason")
    }
}
