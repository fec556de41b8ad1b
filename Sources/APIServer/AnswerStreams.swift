import Serving

/// The events of several answers as they come, each with its answer's position.
///
/// Whoever drops the stream cancels all of them.
///
/// - Throws: `APIError` if one of the requests is not taken; then none is.
func answerStream(
    _ requests: [CompletionRequest], _ engine: BatchEngine
) throws(APIError) -> AsyncThrowingStream<(index: Int, event: CompletionEvent), any Error> {
    var streams: [AsyncThrowingStream<CompletionEvent, any Error>] = []
    for request in requests {
        do {
            streams.append(try engine.submit(request))
        } catch {
            throw APIError(error)
        }
    }
    let (merged, events) = AsyncThrowingStream.makeStream(
        of: (index: Int, event: CompletionEvent).self)
    let reading = Task { [streams] in
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, stream) in streams.enumerated() {
                    group.addTask {
                        for try await event in stream { events.yield((index, event)) }
                        try Task.checkCancellation()
                    }
                }
                try await group.waitForAll()
            }
            events.finish()
        } catch {
            events.finish(throwing: error)
        }
    }
    events.onTermination = { _ in reading.cancel() }
    return merged
}

extension APIError {
    /// Why the engine did not take a request.
    init(_ refusal: CompletionRefusal) {
        switch refusal {
        case .queueFull(_, let seconds):
            self.init(
                429, refusal.description, code: "queue_full", retrySeconds: seconds)
        case .tooLong:
            self.init(
                400, refusal.description, field: "max_tokens", code: "context_length_exceeded")
        case .stopping:
            self.init(503, refusal.description, code: "stopping", retrySeconds: 10)
        }
    }
}
