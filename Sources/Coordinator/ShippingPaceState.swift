package import SystemModel

/// When the base station may ship on, so that tokens do not wait for it. Decisions only. Ours.
///
/// While tokens are being computed, shipping takes a small share of each thing that it shares with
/// them: after work at the base station comes a rest of `restFactor` times as long, and so it does
/// for each device after a chunk, from the moment at which it was sent until the device had it and
/// asked for another. Then only one chunk is on its way to a device, so that what a token can meet
/// in the air or on the device is one chunk. With no tokens everything goes at once, as fast as
/// devices ask.
package struct ShippingPaceState: Sendable {
    /// Whether tokens are being computed.
    package enum Tokens: Sendable, Equatable {
        /// A layer's experts are being computed.
        case underWay
        /// The last layer ended then.
        case ended(Duration)
    }

    /// Rest after work, by the time that the work took: shipping has at most a sixteenth.
    package static let restFactor = 15
    /// Between two layers, or two tokens, there is less than this; after it nobody waits for
    /// tokens.
    package static let quiet = Duration.milliseconds(300)
    /// A device that was away for long is not punished for it.
    package static let longestRest = Duration.seconds(1)
    /// How long a chunk takes before any has been seen to arrive.
    package static let unknownSeconds = Duration.milliseconds(25)

    /// What something takes by itself: the least of the last few times. What is more was waiting
    /// for others, and a rest for that would let a busy machine ship next to nothing.
    private struct LeastTime {
        private static let count = 64
        private var times: [Duration] = []

        /// - Returns: the least of these and the last few.
        mutating func add(_ time: Duration) -> Duration {
            if times.count == Self.count { times.removeFirst() }
            times.append(time)
            return times.reduce(time) { min($0, $1) }
        }
    }

    /// What is known of one device.
    private struct Receiver {
        var times = LeastTime()
        /// When the chunks left of which nobody knows whether they have arrived, oldest first.
        var underWay: [Duration] = []
        var lastSent = Duration.zero
        var lastArrival = Duration.zero
        var restsUntil = Duration.zero
        /// What a chunk takes, smoothed.
        var usual = ShippingPaceState.unknownSeconds
    }

    private var receivers: [DeviceID: Receiver] = [:]
    private var works = LeastTime()
    private var restsUntil = Duration.zero

    package init() {}

    /// A device asked for a chunk: the oldest that was on its way to it has arrived.
    package mutating func asked(_ device: DeviceID, at now: Duration) {
        guard var receiver = receivers[device], let sent = receiver.underWay.first else { return }
        receiver.underWay.removeFirst()
        // One that others were in the way of tells nothing about itself.
        let isAlone = sent >= receiver.lastArrival
        var seconds = receiver.usual
        if isAlone {
            seconds = receiver.times.add(now - sent)
            receiver.usual += (min(now - sent, Self.longestRest) - receiver.usual) / 8
        }
        receiver.lastArrival = now
        receiver.restsUntil = now + Self.rest(after: seconds)
        receivers[device] = receiver
    }

    /// A chunk is about to leave for a device. To be said before it leaves: its device may ask for
    /// the next one before the sender gets to say anything more.
    package mutating func sent(_ device: DeviceID, at now: Duration) {
        var receiver = receivers[device] ?? Receiver()
        // Nothing will be heard of those for which nobody waits any more.
        let patience = Self.patience(receiver)
        receiver.underWay.removeAll { $0 + patience <= now }
        receiver.underWay.append(now)
        receiver.lastSent = now
        receivers[device] = receiver
    }

    /// The base station worked for shipping: hashed, or sent.
    package mutating func worked(from start: Duration, to end: Duration) {
        restsUntil = end + Self.rest(after: works.add(end - start))
    }

    /// A device is gone.
    package mutating func left(_ device: DeviceID) {
        receivers[device] = nil
    }

    /// When the next piece of work for a device may begin; look again then, and whenever something
    /// happens. Not after `now`: at once.
    ///
    /// - Parameter sends: false for work at the base station only.
    package func earliest(
        _ device: DeviceID, sends: Bool, now: Duration, tokens: Tokens
    ) -> Duration {
        let silence: Duration
        switch tokens {
        case .underWay: silence = now + Self.quiet
        case .ended(let end): silence = end + Self.quiet
        }
        guard now < silence else { return now }
        guard sends, let receiver = receivers[device] else { return min(restsUntil, silence) }
        return min(max(restsUntil, Self.free(receiver)), silence)
    }

    /// When a device's share of the air allows the next chunk. Devices ask for a few chunks ahead
    /// and for no more at the end, so one of which nothing is heard is taken to have arrived.
    private static func free(_ receiver: Receiver) -> Duration {
        receiver.underWay.isEmpty
            ? receiver.restsUntil : receiver.lastSent + patience(receiver)
    }

    /// Twice what a chunk and its rest usually take.
    private static func patience(_ receiver: Receiver) -> Duration {
        min((receiver.usual + rest(after: receiver.usual)) * 2, longestRest * 2)
    }

    private static func rest(after seconds: Duration) -> Duration {
        min(seconds * restFactor, longestRest)
    }
}
