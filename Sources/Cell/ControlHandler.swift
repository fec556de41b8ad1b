import Foundation
import NIOCore

/// The control port: a line of JSON in, a line of JSON out (docs/cell.md).
///
///     {"command": "share", "hertz": {"d0": 2e7, "d1": 0}, "seconds": 1}
///     {"command": "equal"}
///     {"command": "state"}
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Request: Decodable {
        let command: String
        let hertz: [String: Double]?
        let seconds: Double?
    }

    private struct Accepted: Encodable {
        let ok = true
    }

    private struct Refused: Encodable {
        let error: String
    }

    private let cell: CellLoop
    private var line: [UInt8] = []

    init(_ cell: CellLoop) {
        self.cell = cell
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                if line.count > CellLimits.controlLineBytes { return refuseLength(context) }
                continue
            }
            answer(line, context)
            line.removeAll(keepingCapacity: true)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ line: [UInt8], _ context: ChannelHandlerContext) {
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(line)) else {
            return send(
                Refused(error: "not understood; send {\"command\": \"state\"} for example"),
                context)
        }
        do throws(CellError) {
            switch request.command {
            case "state": return send(cell.snapshot(), context)
            case "equal": try cell.forwarder.share(nil, seconds: 0)
            case "share":
                guard let hertz = request.hertz else {
                    throw CellError("share needs \"hertz\", an object of numbers by device")
                }
                try cell.forwarder.share(hertz, seconds: request.seconds ?? 1)
            default: throw CellError("command is not share, equal or state")
            }
            send(Accepted(), context)
        } catch {
            send(Refused(error: error.description), context)
        }
    }

    private func refuseLength(_ context: ChannelHandlerContext) {
        send(Refused(error: "a line is longer than \(CellLimits.controlLineBytes) bytes"), context)
        context.close(promise: nil)
    }

    private func send(_ reply: some Encodable, _ context: ChannelHandlerContext) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Snapshots are finite numbers and text; they always encode.
        guard let json = try? encoder.encode(reply) else { return }
        var buffer = context.channel.allocator.buffer(capacity: json.count + 1)
        buffer.writeBytes(json)
        buffer.writeInteger(UInt8(ascii: "\n"))
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }
}

@available(*, unavailable)
extension ControlHandler: Sendable {}
