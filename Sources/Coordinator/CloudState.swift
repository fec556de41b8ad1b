package import SystemModel

/// Whether rows that no device can compute go to a far node or are computed by the base station
/// from its own file: whichever lets the layer end sooner, by what was measured of both.
///
/// Decisions only. Until both have been measured the base station computes. What is not chosen is
/// tried now and then, so that neither is judged by what it once was: whenever the time spent since
/// the last trial, times `trialShare`, pays for the difference. Trials thus cost that share of the
/// time at most. Ours.
package struct CloudState: Sendable {
    /// One layer's situation, as measured so far.
    package struct Outlook: Sendable {
        /// Rows in question.
        package var rows: Int
        /// Rows that the base station computes in any case.
        package var ownRows: Int
        /// When the slowest of the devices should be back.
        package var devicesSeconds: Double
        /// Of the far node.
        package var cloud: DeviceLatency
        /// Of the base station for what is in its memory, and for what is in its file.
        package var memory: DeviceLatency
        package var file: DeviceLatency
        /// Whether far node and file have both been measured.
        package var isMeasured: Bool

        package init(
            rows: Int, ownRows: Int, devicesSeconds: Double, cloud: DeviceLatency,
            memory: DeviceLatency, file: DeviceLatency, isMeasured: Bool
        ) {
            self.rows = rows
            self.ownRows = ownRows
            self.devicesSeconds = devicesSeconds
            self.cloud = cloud
            self.memory = memory
            self.file = file
            self.isMeasured = isMeasured
        }

        private var ownSeconds: Double {
            ownRows == 0 ? 0 : memory.seconds(tokens: ownRows).value
        }

        /// The layer's end if the rows go to the far node: it works beside all others.
        package var cloudSeconds: Double {
            max(devicesSeconds, ownSeconds, cloud.seconds(tokens: rows).value)
        }

        /// The layer's end if the base station computes them after its own.
        package var fileSeconds: Double {
            max(devicesSeconds, ownSeconds + file.seconds(tokens: rows).value)
        }
    }

    private let trialShare: Double
    private var secondsSinceTrial = 0.0

    /// - Parameter trialShare: of the time, for trying the other way.
    package init(trialShare: Double = 0.02) {
        self.trialShare = trialShare
    }

    /// Whether the rows go to the far node.
    package mutating func sends(_ outlook: Outlook) -> Bool {
        let (cloud, file) = (outlook.cloudSeconds, outlook.fileSeconds)
        let isSooner = outlook.isMeasured && cloud < file
        secondsSinceTrial += isSooner ? cloud : file
        let difference = abs(cloud - file)
        guard difference > 0, secondsSinceTrial * trialShare >= difference else {
            return isSooner
        }
        secondsSinceTrial = 0
        return !isSooner
    }
}
