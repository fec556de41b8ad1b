import Testing
import Wire

@testable import Worker

struct ShipmentStateTests {
    private let a = BlobDigest(bytes: Array(repeating: 1, count: 32))
    private let b = BlobDigest(bytes: Array(repeating: 2, count: 32))

    @Test func asksInOrderAndOnlyAFewAtOnce() throws {
        var state = ShipmentState()
        let (chunk, window) = (ShipmentState.chunkBytes, ShipmentState.window)
        state.want([
            .init(digest: a, byteCount: (window + 1) * chunk + 7, received: 0),
            .init(digest: b, byteCount: 10, received: 4),
        ])
        let first = state.requests()
        #expect(first.map(\.offset) == (0..<window).map { $0 * chunk })
        #expect(state.requests().isEmpty, "the window is full")
        var all = first
        var arrivals: [ShipmentState.Arrival] = []
        var next = 0
        while next < all.count {
            let fetch = all[next]
            arrivals.append(
                try state.arrived(
                    digest: fetch.digest, offset: fetch.offset, count: fetch.byteCount))
            all += state.requests()
            next += 1
        }
        #expect(all.map(\.byteCount) == Array(repeating: chunk, count: window + 1) + [7, 6])
        #expect(all[window + 2].offset == 4, "a partial blob goes on where it ended")
        #expect(arrivals.filter { $0 == .complete }.count == 2)
        #expect(arrivals[window + 1] == .complete)
        #expect(state.isDone)
    }

    @Test func whatWasNotAskedForIsRefused() {
        var state = ShipmentState()
        state.want([.init(digest: a, byteCount: 10, received: 0)])
        _ = state.requests()
        for (digest, offset, count) in [(b, 0, 10), (a, 1, 10), (a, 0, 9)] {
            #expect(throws: WorkerError.self) {
                try state.arrived(digest: digest, offset: offset, count: count)
            }
        }
    }

    @Test func chunksOfAnOldAssignmentAreDropped() throws {
        var state = ShipmentState()
        state.want([.init(digest: a, byteCount: 10, received: 0)])
        _ = state.requests()
        state.want([.init(digest: b, byteCount: 5, received: 0)])
        _ = state.requests()
        #expect(try state.arrived(digest: a, offset: 0, count: 10) == .abandoned)
        #expect(try state.arrived(digest: b, offset: 0, count: 5) == .complete)
        #expect(state.isDone)
    }
}
