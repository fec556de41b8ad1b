/// How a device divides the memory it offers among the base stations that it serves.
package enum MemoryQuotas {
    /// - Parameters:
    ///   - offered: bytes for all stations together.
    ///   - quotas: by station the bytes that were asked for it; nil: an equal part of what the
    ///     others leave.
    /// - Returns: by station its bytes; together at most `offered`.
    /// - Throws: `memory` if more is given away than is offered, or a station is left with nothing.
    package static func shares(
        offered: Int, quotas: [Int?]
    ) throws(WorkerError) -> [Int] {
        let given = quotas.reduce(0) { $0 + ($1 ?? 0) }
        let others = quotas.count { $0 == nil }
        guard given <= offered else {
            throw WorkerError(
                .memory,
                "base stations are promised \(given) bytes in all, --memory offers \(offered); "
                    + "promise less or offer more")
        }
        let rest = others > 0 ? (offered - given) / others : 0
        guard others == 0 || rest > 0 else {
            throw WorkerError(
                .memory,
                "of \(offered) bytes nothing is left for the base stations without a quota; give "
                    + "them one, or offer more with --memory")
        }
        return quotas.map { $0 ?? rest }
    }
}
