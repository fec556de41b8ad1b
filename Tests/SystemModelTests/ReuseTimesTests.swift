import Testing

@testable import SystemModel

struct ReuseTimesTests {
    /// Visits with a memory of the last few steps, counted one by one.
    private func counted(
        _ steps: [[Int]], expert: Int, window: Int
    ) -> (missed: Double, kept: Double) {
        var (visits, misses, kept) = (0, 0, 0)
        var last: Int?
        for (step, experts) in steps.enumerated() {
            if experts.contains(expert) {
                visits += 1
                if last.map({ step - $0 > window }) ?? true { misses += 1 }
                last = step
            }
        }
        for step in steps.indices
        where steps[max(0, step - window + 1)...step].contains(where: { $0.contains(expert) }) {
            kept += 1
        }
        return (Double(misses) / Double(max(1, visits)), Double(kept) / Double(steps.count))
    }

    @Test(arguments: 0..<3 as Range<UInt64>) func areAsCounted(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var current = [0, 1]
        let steps = (0..<600).map { _ -> [Int] in
            if generator.uniform() < 0.3 {
                current = Array((0..<6).shuffled(using: &generator).prefix(2))
            }
            return current.sorted()
        }
        var recorder = ReuseRecorder(experts: [0, 7], forgets: false)
        for step in steps { recorder.add(layer: 1, step) }
        #expect(recorder.times[0].isEmpty)
        #expect(recorder.stepsCounted == 600)
        for expert in 0..<6 {
            let times = recorder.times[1][expert]
            for (place, window) in ReuseTimes.windows.enumerated() where window <= 128 {
                let counted = counted(steps, expert: expert, window: window)
                #expect(abs(times.missed[place] - counted.missed) < 1e-12)
                // The last visit may be kept beyond the end.
                #expect(abs(times.kept[place] - counted.kept) <= Double(window) / 600 + 1e-12)
            }
        }
        let never = recorder.times[1][6]
        #expect(never.missed.allSatisfy { $0 == 1 })
        #expect(never.kept.allSatisfy { $0 == 0 })
    }

    /// A least-recently-used memory of the size that a window takes misses about what the window
    /// says.
    @Test func foretellsLeastRecentlyUsed() {
        var generator = SeededGenerator(seed: 5)
        var recorder = ReuseRecorder(experts: [32], forgets: false)
        var current = [0, 1, 2]
        let steps = (0..<6_000).map { _ -> [Int] in
            for place in current.indices where generator.uniform() < 0.4 {
                let draw = generator.uniform()
                let next = min(31, Int(draw * draw * 32))
                if !current.contains(next) { current[place] = next }
            }
            return current.sorted()
        }
        for step in steps { recorder.add(layer: 0, step) }
        let times = recorder.times[0]
        for place in [2, 4, 6] {
            let room = Int(times.reduce(0) { $0 + $1.kept[place] }.rounded())
            var (recent, misses) = ([Int](), 0)
            for expert in steps.joined() {
                if let at = recent.firstIndex(of: expert) {
                    recent.remove(at: at)
                } else {
                    misses += 1
                    if recent.count == room { recent.removeFirst() }
                }
                recent.append(expert)
            }
            var heat = [Double](repeating: 0, count: 32)
            for expert in steps.joined() { heat[expert] += 1 }
            let foretold = zip(times, heat).reduce(0) { $0 + $1.0.missed[place] * $1.1 }
            #expect(abs(foretold / Double(misses) - 1) < 0.1, "window \(ReuseTimes.windows[place])")
        }
    }

    @Test func independentStepsForget() {
        let times = ReuseTimes(independent: 0.25)
        #expect(times.missed[0] == 0.75)
        #expect(abs(times.kept[1] - (1 - 0.75 * 0.75)) < 1e-12)
        #expect(times.missed == times.missed.sorted(by: >))
    }

    /// What was long ago counts for less.
    @Test func whatWasLongAgoIsForgotten() {
        var recorder = ReuseRecorder(experts: [2], forgets: true)
        for _ in 0..<8_192 { recorder.add(layer: 0, [0]) }
        for _ in 0..<32_768 { recorder.add(layer: 0, [1]) }
        #expect(recorder.stepsCounted < 8_192)
        #expect(recorder.times[0][0].kept[0] < 0.01)
        #expect(recorder.times[0][1].kept[0] > 0.99)
    }
}
