import MoEModel
import Testing

#if canImport(Glibc)
    import Glibc

    struct ThreadPriorityTests {
        /// A thread in the background steps back, and no other does.
        @Test func onlyTheThreadItselfStepsBack() async throws {
            let background = InferenceThread(name: "background", priority: .background)
            let normal = InferenceThread(name: "normal")
            for _ in 0..<2 {
                let (policy, nice) = try await background.run {
                    (
                        sched_getscheduler(0),
                        getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
                    )
                }
                #expect(policy == ThreadPriority.backgroundPolicy)
                #expect(nice >= ThreadPriority.backgroundNice)
                #expect(
                    try await normal.run { sched_getscheduler(0) }
                        != ThreadPriority.backgroundPolicy)
            }
        }
    }
#endif
