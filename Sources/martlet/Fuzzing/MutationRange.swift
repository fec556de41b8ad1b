import ArgumentParser

/// Which mutations, as "4711" or "4000-4999".
struct MutationRange: ExpressibleByArgument {
    let numbers: ClosedRange<Int>

    init?(argument: String) {
        let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first <= last
        else { return nil }
        numbers = first...last
    }
}
