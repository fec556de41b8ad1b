import ArgumentParser
import Foundation
import MoEModel
import ModelFiles
import Tensors

struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a smaller GGUF file of a model.",
        discussion: """
            IN is a Hugging Face folder (config.json, safetensors, tokenizer.json) or a GGUF file; \
            OUT is a GGUF file that martlet and llama.cpp read.

              martlet quantize Mixtral-8x7B/ mixtral-q4_k.gguf --type q4_k
              martlet quantize model-f16.gguf small.gguf --type q4_k --experts q3_k

            Types, with bits per weight, best first:
              f16 bf16   16    q8_0  8.5    q6_k  6.6    q5_k  5.5
              q4_k  4.5        q4_0  4.5    q3_k  3.4    q2_k  2.6
            q8_0 is hard to tell from the original; q4_k is the usual choice; below it, see with \
            "martlet perplexity" what is lost. Of a Mixture-of-Experts model most bytes are \
            experts, and few are used per token: --experts alone makes the file small and leaves \
            attention as it was.

            Norms, biases, routers and sinks stay 32-bit. The head gets at least q6_k unless \
            --embeddings says otherwise. Rows that are not whole blocks (K types have 256 columns, \
            others 32) get the next larger type that fits, which is said. Tensors that already \
            have their type are copied; others that are quantised are expanded first and lose \
            twice. Numbers above 65504 are refused for all types but bf16.

            Writing goes to OUT.partial; after an interruption the same command goes on where it \
            ended.
            """)

    @Argument(help: "A Hugging Face folder or a GGUF file.")
    var input: String

    @Argument(help: "The file to write, named .gguf.")
    var output: String

    @Option(help: "Of all matrices: \(Self.typeList).")
    var type: TensorType

    @Option(help: "Of the routed experts, instead of --type; also mxfp4 where IN has it.")
    var experts: TensorType?

    @Option(help: "Of attention's projections, instead of --type.")
    var attention: TensorType?

    @Option(help: "Of the token embedding and the head, instead of --type.")
    var embeddings: TensorType?

    @Option(help: "Threads that quantise; default: one per core.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Replace OUT, and start over where OUT.partial is of something else.")
    var force = false

    /// `--type` and its siblings; the raw value is what the user writes.
    enum TensorType: String, ExpressibleByArgument, CaseIterable {
        case q8_0, q6_k, q5_k, q4_k, q3_k, q2_k, q4_0, f16, bf16, f32, mxfp4

        var format: BlockFormat {
            switch self {
            case .q8_0: .q8_0
            case .q6_k: .q6_K
            case .q5_k: .q5_K
            case .q4_k: .q4_K
            case .q3_k: .q3_K
            case .q2_k: .q2_K
            case .q4_0: .q4_0
            case .f16: .f16
            case .bf16: .bf16
            case .f32: .f32
            case .mxfp4: .mxfp4
            }
        }
    }

    private static let typeList = TensorType.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        guard output.hasSuffix(".gguf") else {
            throw ValidationError("OUT: \"\(output)\" does not end in .gguf")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads takes 1 to 1024")
        }
    }

    func run() throws {
        let conversion = try GGUFConversion(ModelFile.open(input))
        conversion.notes.forEach { Output.note("note: \($0)") }
        let formats = TensorFormats(
            type: type.format, experts: experts?.format, attention: attention?.format,
            embeddings: embeddings?.format)
        let (metadata, tensors) = try conversion.plan(formats)
        let replaced = TensorFormats.replacements(in: tensors, formats)
        replaced.forEach { Output.note("note: \($0)") }
        let writer = GGUFWriter(
            path: output, source: input, metadata: metadata, tensors: tensors, threads: threads)
        Output.note(
            "\(tensors.count) tensors, \(Readable.bytes(writer.byteCount)); writing "
                + "\(writer.partialPath)")
        var line = ProgressLine()
        let report = try writer.write(replacing: force) {
            line.show($0)
            return true
        }
        line.end()
        if let report { show(report, tensors) }
    }

    private func show(_ report: GGUFWriter.Report, _ tensors: [PlannedTensor]) {
        if report.bytesFound > 0 {
            Output.note("\(Readable.bytes(report.bytesFound)) were there from an earlier attempt")
        }
        if report.rounded > 0 {
            Output.note(
                "\(report.rounded) numbers are not exact in a 16-bit format and were rounded")
        }
        let counts = Dictionary(grouping: tensors, by: \.format.name).map { name, group in
            "\(group.count) \(name)"
        }
        Output.line(
            "\(output): \(Readable.bytes(report.byteCount)), \(tensors.count) tensors ("
                + counts.sorted().joined(separator: ", ") + ")")
    }
}

/// How far a file is, on one line of a terminal that is written over, or on lines of their own.
private struct ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?
    private var isOpen = false

    /// A terminal is told several times a second, a log once in ten.
    private var interval: Duration { isTerminal ? .milliseconds(200) : .seconds(10) }

    mutating func show(_ progress: GGUFWriter.Progress) {
        let now = ContinuousClock.now
        if let shown, shown.duration(to: now) < interval { return }
        shown = now
        let text = self.text(progress, now)
        guard isTerminal else { return Output.note(text) }
        isOpen = true
        // Back to the line's start, and what was longer before is cleared.
        Output.write(toError: "\r\u{1B}[K\(text)")
    }

    mutating func end() {
        if isOpen { Output.note("") }
        isOpen = false
    }

    private func text(_ progress: GGUFWriter.Progress, _ now: ContinuousClock.Instant) -> String {
        let share = Double(progress.bytesDone) / Double(progress.byteCount)
        let seconds = start.duration(to: now) / .seconds(1)
        let written = Double(progress.bytesDone - progress.bytesFound)
        let rest = Double(progress.byteCount - progress.bytesDone) / max(written, 1) * seconds
        return String(format: "%3d %%", Int(share * 100))
            + ", tensor \(min(progress.tensorsDone + 1, progress.tensorCount)) of "
            + "\(progress.tensorCount), \(Readable.bytes(progress.bytesDone)) of "
            + "\(Readable.bytes(progress.byteCount)), \(Int(rest.rounded(.up))) s left"
    }
}
