public import FastlikeRuntime
import Foundation
import Logging
import NIOCore
import NIOPosix

/// The programs behind `fastlike serve`, `run` and `demo`.
public enum Server {
  /// How long in-flight requests may go on after the first signal to end.
  static let drainTime = Duration.seconds(30)

  /// Serves a program until SIGINT or SIGTERM.
  public static func serve(_ options: ServeOptions) async throws {
    let logger = log(options.execution)
    let loader = ServiceLoader(
      module: options.module, arguments: ["compute-app"], options: options.service, execution: options.execution,
      logger: logger)
    let service = try loader.load()
    let edge = try await RunningEdge.start(
      service, addresses: options.addresses, tls: options.tls, loader: loader)
    let presentation = try await TracePresentation.start(
      options.execution.tracing, traces: loader.traces, handler: edge.handler, logger: logger)
    TracePresentation.explain(options.execution.tracing)
    if let url = presentation.pageURL { print("fastlike: profile page on \(url)") }
    // Who reads the line may send one at once.
    let signals = Signals(reload: options.reloadsOnSignal)
    announce(edge, program: service.program.name)
    await edge.runUntilSignal(signals, watchesFiles: options.reloadsOnChange, logger: logger)
    await presentation.stop()
  }

  /// Says where the program can be reached; this line is what scripts wait for.
  static func announce(_ edge: RunningEdge, program: String) {
    if let advice = edge.trustAdvice { print("fastlike: \(advice)") }
    for address in edge.bound { print("fastlike: serving \(program) on \(address.url)") }
    fflush(nil)
  }

  /// A logger to the standard error, as talkative as asked for.
  static func log(_ options: ExecutionOptions) -> Logger {
    var logger = Logger(label: "fastlike") { _ in PlainLog() }
    switch options.verbosity {
    case 0: logger.logLevel = .warning
    case 1: logger.logLevel = .info
    case 2: logger.logLevel = .debug
    default: logger.logLevel = .trace
    }
    return logger
  }

  /// One event loop for each core.
  static func eventLoops() -> MultiThreadedEventLoopGroup {
    MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
  }
}

/// Where an edge listens, once the system has chosen the port.
struct BoundAddress {
  let address: SocketAddress
  let isSecure: Bool

  /// As a client writes it, without a path.
  var url: String {
    let scheme = isSecure ? "https" : "http"
    switch address {
    case .unixDomainSocket: return "unix:" + (address.pathname ?? "")
    case .v4: return "\(scheme)://\(address.ipAddress ?? ""):\(address.port ?? 0)"
    case .v6: return "\(scheme)://[\(address.ipAddress ?? "")]:\(address.port ?? 0)"
    }
  }
}

/// An edge with the service behind it, from the first bind to the last response.
struct RunningEdge {
  let group: MultiThreadedEventLoopGroup
  let listener: EdgeListener
  let handler: ServiceSwitch
  let loader: ServiceLoader
  let bound: [BoundAddress]
  /// How to have clients trust the edge's certificate, where it is of the development authority.
  let trustAdvice: String?

  static func start(
    _ service: Service, addresses: [BindAddress], tls options: EdgeTLSOptions, loader: ServiceLoader
  ) async throws -> RunningEdge {
    let addresses = addresses.map { address -> EdgeAddress in
      switch address {
      case .tcp(let host, let port): .tcp(host: host.isEmpty ? "0.0.0.0" : host, port: Int(port))
      case .tls(let host, let port): .tls(host: host.isEmpty ? "0.0.0.0" : host, port: Int(port))
      case .unix(let path): .unix(path: path)
      }
    }
    let tls = addresses.contains(where: \.isSecure) ? try EdgeTLS.load(options) : nil
    let group = Server.eventLoops()
    let handler = ServiceSwitch(service)
    let listener = EdgeListener(
      group: group, handler: handler, settings: EdgeSettings(), tls: tls?.edge, logger: loader.logger)
    let bound = try await listener.bind(addresses)
    return RunningEdge(
      group: group, listener: listener, handler: handler, loader: loader,
      bound: zip(bound, addresses).map { BoundAddress(address: $0, isSecure: $1.isSecure) },
      trustAdvice: tls?.trustAdvice)
  }

  func runUntilSignal(_ signals: Signals, watchesFiles: Bool, logger: Logger) async {
    let reload = ServiceReload(handler: handler, loader: loader)
    let watching = Task { await reload.watch(everything: watchesFiles) }
    for await signal in signals.stream {
      if signal == .end { break }
      reload.all()
    }
    watching.cancel()
    logger.notice("ending: in-flight requests may finish; a second signal ends at once")
    let draining = Task { await stop() }
    let impatience = Task {
      for await signal in signals.stream where signal == .end {
        FileHandle.standardError.write(Data("fastlike: ended with requests in flight\n".utf8))
        exit(0)
      }
    }
    await draining.value
    impatience.cancel()
  }

  func stop() async {
    await listener.shutdown(gracePeriod: Server.drainTime)
    loader.shared.closeStores()
    for eventLoop in group.makeIterator() { try? await loader.shared.shutdown(on: eventLoop).get() }
    try? await group.shutdownGracefully()
  }
}
