import APIServer
import ArgumentParser
import ChatTemplates
import Coordinator
import Foundation
import MoEModel
import ModelFiles
import Planning
import Serving
import Synchronization
import SystemModel
import Tokenizers

struct Serve: AsyncParsableCommand {
    /// Bytes of cached keys and values unless others are asked for.
    static let kvMemory = 2 << 30

    static let configuration = CommandConfiguration(
        abstract: "Be the base station: answer over HTTP and give experts to devices.",
        discussion: """
            Speaks OpenAI's API at http://127.0.0.1:8080/v1 (--http takes another address), \
            answers many requests at once, and describes itself at /openapi.json. With \
            --devices-listen devices dial in with "martlet join" and may come and go at any time; \
            what none of them computes, the base station does. The first Ctrl-C lets \
            answers on their way end.

              martlet serve --model M.gguf --devices-listen 127.0.0.1:7070

            http://127.0.0.1:8080/ shows the cell live; "martlet status" does in a terminal.

            Each option may also be set by a variable of the environment, MARTLET_ and its name \
            (MARTLET_MODEL, MARTLET_HTTP, MARTLET_MAX_BATCH, MARTLET_CONFIG …), or in the file \
            that --config names. The command line wins over the environment, that over the file; \
            what is used, and where it came from, is printed at the start.

            With --stdin each line on standard input is a prompt instead, and its answer streams \
            to standard output. With --json, too, a line of input is {"prompt": TEXT, \
            "maxTokens": N}, and the lines of output are {"listening": ADDRESS}, \
            {"ready": N, "experts": {NAME: N}}, {"token": ID, "text": TEXT} and \
            {"tokens": [IDS], "text": TEXT, "costs": {…}} at an answer's end.
            """)

    @Option(help: "A YAML file of these options by their names; see deploy/martlet.yaml.")
    var config: String?

    @OptionGroup var model: ModelOption
    @OptionGroup var http: HTTPOptions
    @OptionGroup var template: TemplateOption
    @OptionGroup var devices: StationOptions
    @OptionGroup var threads: ThreadOption
    @OptionGroup var log: LogOption

    @Option(help: "Where devices dial in, as HOST:PORT; port 0 lets the system choose.")
    var devicesListen: Endpoint?

    @Option(help: "Answer nothing before N devices have their experts.")
    var waitDevices = 0

    @Option(
        help: """
            auto: plan who holds which experts while serving, as devices come and go and as links \
            and what tokens visit change; the default with --devices-listen, without --plan and \
            --stdin; with --plan that is what is begun with. off: deal them in proportion to \
            speed, or as --plan says.
            """)
    var replan: ReplanMode?

    @Option(
        help: """
            auto: once devices have their experts, fill what they offer of their disks with those \
            that they may be given later. off: leave disks alone.
            """)
    var keepAhead = KeepAheadMode.auto

    @Option(help: "Most memory of all cached keys and values, as 2GiB, which is the default.")
    var kvMemory: ByteSize?

    @Flag(name: .customLong("stdin"), help: "Read prompts from standard input, not from HTTP.")
    var standardInput = false

    @OptionGroup(title: "With --stdin") var sampling: SamplingArguments

    @Option(help: "With --stdin: stop an answer after N tokens.")
    var maxTokens = 128

    @Flag(help: "With --stdin: read and write lines of JSON.")
    var json = false

    func validate() throws {
        guard waitDevices >= 0 else { throw ValidationError("--wait-devices takes 0 or more") }
        guard maxTokens >= 0 else { throw ValidationError("--max-tokens takes 0 or more") }
        guard standardInput || !json else { throw ValidationError("--json needs --stdin") }
        guard standardInput || devicesListen != nil || waitDevices == 0 else {
            throw ValidationError("--wait-devices needs --devices-listen")
        }
        guard standardInput || devicesListen != nil || devices.selection.policy == .topk else {
            throw ValidationError("--policy needs --devices-listen")
        }
        guard standardInput || devicesListen != nil || replan != .auto else {
            throw ValidationError("--replan auto needs --devices-listen")
        }
    }

    /// Who deals experts to devices, unless the command line says so.
    var replanMode: ReplanMode {
        let plansByItself = devicesListen != nil && devices.plan == nil && !standardInput
        return replan ?? (plansByItself ? .auto : .off)
    }

    func run() async throws {
        threads.apply()
        if standardInput { try await runStandardInput() } else { try await runHTTP() }
    }

    private func runHTTP() async throws {
        try tellSettings()
        var options = try http.options(insecure: devices.insecure)
        options.logger = log.logger
        let observer = CellObserver()
        let opened = try model.open(kvMemory: kvMemory?.count ?? Self.kvMemory)
        var station: BaseStation?
        if let devicesListen {
            station = try await BaseStation.start(
                opened, devices, at: devicesListen, localDevices: nil, wanted: waitDevices,
                keepsAhead: keepAhead == .auto, observer: observer)
        }
        do {
            try await serve(opened, station, observer, options)
            await station?.stop()
        } catch {
            await station?.stop()
            throw error
        }
    }

    /// Tells what is used and where it came from.
    private func tellSettings() throws {
        let line = try ServeCommandLine(
            Array(CommandLine.arguments.dropFirst(2)),
            environment: ProcessInfo.processInfo.environment)
        line.noteUnknownVariables()
        Output.note("serving with:\n" + line.settings.report(self, commandLine: line.given))
    }

    /// Serves until a signal comes.
    private func serve(
        _ opened: OpenedModel, _ station: BaseStation?, _ observer: CellObserver,
        _ options: APIServer.Options
    ) async throws {
        let thread = InferenceThread()
        let served = try servedModel(
            opened,
            engine: BatchEngine(
                transformer: opened.model.transformer,
                selector: Engine.selector(opened.model, station),
                executor: Engine.executor(
                    opened.model, station, deadline: devices.deadline, prefetches: false),
                tokenizer: try opened.tokenizer(), pool: opened.keyValuePool,
                limits: http.limits, thread: thread, clock: SystemClock()))
        let state = ReadyState()
        let wanted = waitDevices
        let dealing = try station.map {
            try ExpertDealing($0, opened.model, devices, replanMode, on: thread)
        }
        let running = Task {
            guard let dealing else { return state.isReady.withLock { $0 = true } }
            try await dealing.run(waiting: wanted > 0) { state.isReady.withLock { $0 = true } }
        }
        defer { running.cancel() }
        let rereading = rereadPlan(opened.model, station?.coordinator, on: thread)
        defer { rereading?.cancel() }
        let scheme = options.tls == nil ? "http" : "https"
        let (coordinator, shape) = (station?.coordinator, opened.model.shape)
        let server = APIServer(
            served, options, clock: SystemClock(),
            cell: {
                coordinator.map { observer.look(at: $0, shape) } ?? CellObserver.alone(shape)
            },
            isReady: { state.isReady.withLock { $0 } })
        let looking = Task { try await look(server.monitor, coordinator) }
        defer { looking.cancel() }
        try await server.run(grace: .seconds(http.requestTimeout)) { port in
            let address = Endpoint(host: options.host, port: port)
            Output.note("listening for requests on \(scheme)://\(address)/v1")
        }
    }

    /// On SIGHUP reads the plan again and changes to it between two steps; a plan that is refused
    /// changes nothing.
    private func rereadPlan(
        _ model: Model, _ coordinator: Coordinator?, on thread: InferenceThread
    ) -> (any DispatchSourceSignal)? {
        guard let plan = devices.plan, let coordinator else { return nil }
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler { [devices] in
            do {
                let content = try devices.content(model, areLocal: false)
                Task {
                    try await thread.run { coordinator.adopt(content) }
                    Output.note("changing to \(plan)")
                }
            } catch {
                Output.note("the old plan stays: \(error)")
            }
        }
        source.resume()
        return source
    }

    /// Looks at the cell twice a second, and asks its devices for a sign of life each second.
    private func look(_ monitor: StatusMonitor, _ coordinator: Coordinator?) async throws {
        while true {
            coordinator?.ping(SystemClock())
            for _ in 0..<2 {
                monitor.look()
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Whether the devices that are waited for are there.
    private final class ReadyState: Sendable {
        let isReady = Mutex(false)
    }

    private func servedModel(
        _ opened: OpenedModel, engine: BatchEngine
    ) throws -> ServedModel {
        let chosen = try template.choose(opened.file.tokenizer, of: opened.file.path)
        let conversation = try Conversation(opened, template: chosen, system: nil)
        return ServedModel(
            name: http.name
                ?? URL(filePath: opened.file.path).deletingPathExtension()
                .lastPathComponent,
            tokenizer: conversation.tokenizer, engine: engine,
            vocabulary: opened.model.configuration.vocabulary, turnEnds: conversation.stop,
            callFormat: ToolCallFormat(template: chosen.template.source),
            timeLimit: .seconds(http.requestTimeout),
            chatPrompt: { context in
                do {
                    return try conversation.ids(context)
                } catch let error as CommandError {
                    throw APIError(400, "messages: \(error.description)", field: "messages")
                }
            },
            unixTime: { Int(Date().timeIntervalSince1970) },
            randomNumber: {
                var generator = SystemRandomNumberGenerator()
                return generator.next()
            })
    }
}
