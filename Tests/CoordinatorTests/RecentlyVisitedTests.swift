import SystemModel
import Testing

@testable import Coordinator

struct RecentlyVisitedTests {
    private func id(_ expert: Int) -> ExpertID { ExpertID(layer: 0, expert: expert) }

    /// Visits an expert of ten bytes and reads it where it is missing; nil: there was no place.
    private func visit(
        _ experts: inout RecentlyVisited<Int>, _ expert: Int, keeps: Bool = true
    ) -> Bool? {
        switch experts.visit(id(expert), bytes: 10, keeps: keeps) {
        case .held(let value):
            #expect(value == expert)
            return true
        case .loading: return true
        case .missing:
            experts.loaded(id(expert), expert)
            return false
        case .outside: return nil
        }
    }

    private func memory(_ experts: Int) -> RecentlyVisited<Int> {
        var memory = RecentlyVisited<Int>()
        memory.limit(to: 10 * experts + 5)
        return memory
    }

    @Test func theLeastRecentLeaves() {
        var experts = memory(3)
        for expert in [1, 2, 3, 1] {
            _ = visit(&experts, expert)
            experts.endVisits()
        }
        #expect(visit(&experts, 4) == false)
        #expect([1, 3, 4].allSatisfy { experts.has(id($0)) })
        #expect(!experts.has(id(2)))
        #expect(experts.bytes == 30)
    }

    /// What is being computed with takes its memory until it is let go of.
    @Test func whatIsInUseStays() {
        var experts = memory(2)
        #expect(visit(&experts, 1) == false)
        #expect(visit(&experts, 2) == false)
        #expect(visit(&experts, 3) == nil)
        #expect(experts.expect([id(3)]) { _ in 10 } == [])
        experts.endVisits()
        #expect(experts.expect([id(3)]) { _ in 10 } == [id(3)])
        #expect(!experts.has(id(1)))
    }

    /// What is being read stays, too, and is waited for; a smaller limit takes it once it is there.
    @Test func whatIsBeingReadStays() {
        var experts = memory(2)
        #expect(experts.expect([id(1), id(2)]) { _ in 10 } == [id(1), id(2)])
        #expect(experts.expect([id(2), id(3)]) { _ in 10 } == [])
        guard case .loading = experts.visit(id(1), bytes: 10, keeps: true) else {
            Issue.record("1 is being read")
            return
        }
        #expect(experts.value(of: id(1)) == nil)
        experts.endVisits()
        experts.limit(to: 10)
        #expect(experts.bytes == 20)
        experts.loaded(id(1), 1)
        experts.loaded(id(2), 2)
        #expect(experts.bytes == 10)
        #expect(experts.value(of: id(2)) == 2)
    }

    @Test func whatCannotBeReadIsForgotten() {
        var experts = memory(1)
        #expect(experts.expect([id(1)]) { _ in 10 } == [id(1)])
        experts.failed(id(1))
        #expect(experts.bytes == 0)
        #expect(visit(&experts, 2) == false)
    }

    /// Of two experts that are expected none leaves for the other, though it was the oldest.
    @Test func whatIsExpectedCountsAsVisited() {
        var experts = memory(2)
        for expert in [1, 2] { _ = visit(&experts, expert) }
        experts.endVisits()
        #expect(experts.expect([id(3), id(1)]) { _ in 10 } == [id(3)])
        #expect(experts.has(id(1)))
        #expect(!experts.has(id(2)))
    }

    /// A long prompt reads what is here and displaces nothing.
    @Test func promptsDisplaceNothing() {
        var experts = memory(2)
        for expert in [1, 2] { _ = visit(&experts, expert) }
        experts.endVisits()
        #expect(visit(&experts, 3, keeps: false) == nil)
        #expect(visit(&experts, 1, keeps: false) == true)
    }

    /// What a layer visits next leaves neither for what is read ahead nor for another of the layer.
    @Test func whatIsAnnouncedStays() {
        var experts = memory(2)
        for expert in [1, 2] { _ = visit(&experts, expert) }
        experts.endVisits()
        #expect(experts.announce([id(1), id(5)]) == [id(5)])
        #expect(experts.expect([id(3), id(4)]) { _ in 10 } == [id(3)])
        #expect(visit(&experts, 1) == true)
        #expect(!experts.has(id(2)))
    }

    @Test func withoutMemoryNothingIsKept() {
        var experts = RecentlyVisited<Int>()
        #expect(visit(&experts, 1) == nil)
        #expect(experts.expect([id(1)]) { _ in 10 } == [])
        experts.limit(to: 9)
        #expect(visit(&experts, 1) == nil)
    }
}
