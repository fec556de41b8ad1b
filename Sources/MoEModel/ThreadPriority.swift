#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a thread gets of the processors where others want them.
package enum ThreadPriority: Sendable {
    /// As much as any other thread.
    case normal
    /// Less, and never at once: for work that no token waits for, such as shipping.
    case background

    #if canImport(Glibc) || canImport(Musl)
        /// A tenth of what a normal thread gets where both always want to run. Not less: on a
        /// machine that others keep busy, a thread that gets only what is left never loads its
        /// experts.
        package static let backgroundNice: Int32 = 10
    #endif
    #if canImport(Glibc)
        /// `SCHED_BATCH` of Linux, which glibc shows to programs for GNU only: waking up, such a
        /// thread takes the processor from nobody.
        package static let backgroundPolicy: Int32 = 3
    #endif

    /// Gives the calling thread this priority from now on; a thread in the background stays there.
    ///
    /// Needs no privilege. Where the system refuses, the thread stays as it is: work in the
    /// background is then only as bad as it was.
    package func apply() {
        guard case .background = self else { return }
        #if canImport(Glibc)
            var parameters = sched_param()
            _ = sched_setscheduler(0, Self.backgroundPolicy, &parameters)
            // For Linux process 0 is the calling thread alone.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.backgroundNice)
        #elseif canImport(Musl)
            _ = setpriority(PRIO_PROCESS, 0, Self.backgroundNice)
        #else
            _ = pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
        #endif
    }
}
