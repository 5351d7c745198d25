import FastlikeProfile
public import FastlikeRuntime
import Foundation
import NIOCore
import NIOPosix

/// The demo's program is not where it should be.
struct DemoProgramMissing: Error, CustomStringConvertible {
  var searched: [String]

  var description: String {
    "the demo program demo.wasm is not there (looked in \(searched.joined(separator: ", "))); build it with `make guests`"
  }
}

extension Server {
  /// Serves the demo program with an origin of its own, sends it a few requests, and says what to open.
  public static func demo(_ options: DemoOptions) async throws {
    let logger = log(options.execution)
    let originGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let origin = EdgeListener(
      group: originGroup, handler: DemoOrigin(), settings: EdgeSettings(), logger: logger)
    let port = try await origin.bind([.tcp(host: "127.0.0.1", port: 0)])[0].port ?? 0
    let loader = ServiceLoader(
      module: try DemoServing.program(), arguments: ["compute-app"], options: ServiceOptions(),
      execution: options.execution, logger: logger)
    let service = try loader.load(DemoServing.configuration(originPort: UInt16(port)))
    let edge = try await RunningEdge.start(
      service, addresses: options.addresses, tls: options.tls, loader: loader)
    var tracing = options.execution.tracing
    if tracing.page == nil, tracing.mode != .off { tracing.page = .tcp(host: "127.0.0.1", port: 0) }
    let presentation = try await TracePresentation.start(
      tracing, traces: loader.traces, handler: edge.handler, logger: logger)
    TracePresentation.explain(tracing)
    let signals = Signals(reload: false)
    announce(edge, program: "the demo")
    if let address = edge.bound.first(where: { $0.address.port != nil }) {
      await DemoServing.visit(address, traces: loader.traces, page: presentation.pageURL)
    }
    await edge.runUntilSignal(signals, watchesFiles: false, logger: logger)
    await presentation.stop()
    await origin.shutdown(gracePeriod: .zero)
    try? await originGroup.shutdownGracefully()
  }
}

/// The demo's parts that are not serving itself.
private enum DemoServing {
  /// Where the program lies beside the executable: in a build folder, or where `make install` puts it.
  static func program() throws -> String {
    let executable = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
      .resolvingSymlinksInPath().deletingLastPathComponent()
    let places = ["../../guests/demo.wasm", "../share/fastlike/demo.wasm"].map {
      executable.appendingPathComponent($0).standardized.path
    }
    guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
      throw DemoProgramMissing(searched: places)
    }
    return found
  }

  static func configuration(originPort: UInt16) -> ServiceConfiguration {
    var configuration = ServiceConfiguration()
    for name in ["origin", "users", "orders", "stock"] {
      configuration.backends[name] = BackendDefinition(name: name, host: "127.0.0.1", port: originPort, usesTLS: false)
    }
    // Port 9 is "discard"; on a developer's machine nobody listens there.
    configuration.backends["refused"] = BackendDefinition(name: "refused", host: "127.0.0.1", port: 9, usesTLS: false)
    return configuration
  }

  private static let visits: [(path: String, tells: String)] = [
    ("/", "a page that links to the others"),
    ("/slow", "one slow backend, then some computing"),
    ("/parallel", "three backends at once"),
    ("/stream", "a response that comes line by line"),
    ("/cpu", "50 ms of computing"),
    ("/backend-error", "a backend that refuses the connection"),
    ("/error", "a guest that traps"),
  ]

  /// Asks for each page once and prints what came, and where the time went.
  static func visit(_ address: BoundAddress, traces: ProfileStore?, page: String?) async {
    let base = address.url
    print("\n  Open these, or ask for them with curl -N:\n")
    for visit in visits {
      let started = ContinuousClock.now
      let status = await get(base + visit.path)
      let taken = ContinuousClock.now - started
      let url = (base + visit.path).padding(toLength: max(38, base.count + 16), withPad: " ", startingAt: 0)
      print("  \(url) \(status)  \(milliseconds(taken)) ms  \(visit.tells)")
      if let line = await account(of: visit.path, in: traces) { print("      \(line)") }
      fflush(nil)
    }
    if let page { print("\n  What each of them did, and why it took so long:\n\n  \(page)") }
    print("\n  Ctrl-C ends it.\n")
    fflush(nil)
  }

  private static func get(_ url: String) async -> String {
    guard let url = URL(string: url), let host = url.host, let port = url.port else { return "---" }
    let client = DemoClient(host: host, port: port, isSecure: url.scheme == "https")
    return await client.status(of: url.path).map(String.init) ?? "---"
  }

  private static func milliseconds(_ duration: Duration) -> String {
    let count = String(duration / .milliseconds(1)).prefix { $0 != "." }
    return String(repeating: " ", count: max(0, 5 - count.count)) + count
  }

  /// Where the time of the newest request to a path went.
  private static func account(of path: String, in traces: ProfileStore?) async -> String? {
    guard let traces else { return nil }
    for _ in 0..<20 {
      if let trace = traces.recent(8).first(where: { $0.url.path == path }) { return trace.time.summary }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }
}
