import Foundation
import NIOCore
import NIOPosix

extension TransportError {
    /// What NIO threw while listening on `address`.
    init(listeningOn address: String, _ error: any Error) {
        switch Self.systemError(error) {
        case .EADDRINUSE:
            self.init(
                .addressInUse,
                "\(address) is in use: choose another port or stop the program that listens there")
        case .EADDRNOTAVAIL:
            self.init(
                .addressNotAvailable,
                "\(address) is not an address of this machine: use one of its own, or 0.0.0.0")
        case .EACCES, .EPERM:
            self.init(
                .addressNotAvailable,
                "\(address) may not be used by this user: choose a port of 1024 or above")
        default:
            self.init(
                Self.isUnknownHost(error) ? .unknownHost : .failed,
                "cannot listen on \(address): \(Self.line(error))")
        }
    }

    /// What NIO threw while connecting to `address`.
    init(dialling address: String, _ error: any Error) {
        if Self.isUnknownHost(error) {
            self.init(.unknownHost, "\(address): the host is unknown; check its name")
            return
        }
        switch (Self.systemError(error), error as? ChannelError) {
        case (.ECONNREFUSED, _):
            self.init(
                .refused, "\(address): nobody listens there; is the base station running?")
        case (.ETIMEDOUT, _), (_, .connectTimeout):
            self.init(.timedOut, "\(address): no answer in time; check the address and the network")
        default:
            self.init(.failed, "cannot connect to \(address): \(Self.line(error))")
        }
    }

    /// Any error in one line.
    static func line(_ error: any Error) -> String {
        "\((error as? NIOConnectionError)?.connectionErrors.first?.error ?? error)"
            .split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func systemError(_ error: any Error) -> POSIXErrorCode? {
        let first = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        return (first as? IOError).flatMap { POSIXErrorCode(rawValue: $0.errnoCode) }
    }

    private static func isUnknownHost(_ error: any Error) -> Bool {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.isEmpty
        case SocketAddressError.unknown:
            true
        default:
            false
        }
    }
}
