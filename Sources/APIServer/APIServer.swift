import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Serving
package import SystemModel
import UnixSignals

/// The HTTP server: OpenAI's API in front of a model.
package struct APIServer: Sendable {
    /// Where and how it listens.
    package struct Options: Sendable {
        package var host = "127.0.0.1"
        /// 0 lets the system choose.
        package var port = 8080
        /// Nil lets everybody in.
        package var keys: APIKeys?
        /// Paths of PEM files, or nil for no encryption.
        package var tls: (certificate: String, key: String)?
        /// The one origin whose pages browsers let use the server, or "*"; nil: none.
        package var corsOrigin: String?
        /// Where what happens is written.
        package var logger = Logger(label: "martlet")

        package init() {}
    }

    private let options: Options
    private let model: ServedModel
    private let isReady: @Sendable () -> Bool
    private let metrics = Metrics()
    private let clock: any MonotonicClock
    /// What dashboards show; somebody must let it look.
    package let monitor: StatusMonitor

    /// - Parameters:
    ///   - cell: the devices, as they are now.
    ///   - isReady: whether the model can answer now.
    package init(
        _ model: ServedModel, _ options: Options, clock: any MonotonicClock,
        cell: @escaping @Sendable () -> CellSnapshot,
        isReady: @escaping @Sendable () -> Bool = { true }
    ) {
        (self.model, self.options, self.isReady) = (model, options, isReady)
        self.clock = clock
        monitor = StatusMonitor(model, clock: clock, isReady: isReady, cell: cell)
    }

    /// Serves until the task is cancelled gracefully or one of `signals` comes. Requests on their
    /// way may end, for at most `grace`.
    ///
    /// - Parameter onListening: told the port once connections are taken.
    /// - Throws: if the address cannot be listened on or a certificate cannot be read.
    package func run(
        grace: Duration, onListening: @escaping @Sendable (Int) -> Void
    ) async throws {
        let engine = model.engine
        let monitor = monitor
        var application = Application(
            router: router(), server: try server(),
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), serverName: "martlet"),
            onServerRunning: { onListening($0.localAddress?.port ?? 0) },
            logger: options.logger)
        // What the server itself says of connections is of use to nobody who does not debug it.
        if options.logger.logLevel > .debug { application.logger.logLevel = .notice }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: application),
                .init(service: EngineService(engine: engine, monitor: monitor)),
            ], gracefulShutdownSignals: [.sigterm, .sigint], logger: application.logger)
        configuration.maximumGracefulShutdownDuration = grace
        try await ServiceGroup(configuration: configuration).run()
    }

    /// All routes behind all checks.
    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(
            middleware: LogMiddleware(
                logger: options.logger, clock: clock, randomNumber: model.randomNumber))
        if let origin = options.corsOrigin {
            router.add(
                middleware: CORSMiddleware(
                    allowOrigin: origin == "*" ? .all : .custom(origin),
                    allowHeaders: [.contentType, .authorization], allowMethods: [.get, .post]))
        }
        router.add(middleware: ErrorMiddleware(metrics: metrics))
        if let keys = options.keys { router.add(middleware: KeyMiddleware(keys: keys)) }
        APIRoutes(model: model, metrics: metrics, monitor: monitor, isReady: isReady)
            .add(to: router)
        DashboardRoutes(monitor: monitor).add(to: router)
        return router
    }

    private func server() throws -> HTTPServerBuilder {
        guard let tls = options.tls else { return .http1() }
        let chain = try NIOSSLCertificate.fromPEMFile(tls.certificate)
        let key = try NIOSSLPrivateKey(file: tls.key, format: .pem)
        return try .tls(
            tlsConfiguration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    }
}

/// Stops taking requests when the server is to stop, so that those on their way end.
private struct EngineService: Service {
    let engine: BatchEngine
    let monitor: StatusMonitor

    func run() async throws {
        try await gracefulShutdown()
        engine.stop()
        monitor.stop()
    }
}
