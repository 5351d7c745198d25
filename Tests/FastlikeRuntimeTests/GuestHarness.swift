import ComputeABI
import FastlikeProfile
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing
import Wasmtime

@testable import FastlikeRuntime

/// Runs guests written in WebAssembly text in this process, without a network.
struct GuestHarness {
  /// What came of one request.
  struct Outcome: Sendable {
    var ending: GuestEnding
    var trace: RequestTrace
    var status: UInt16?
    var body: String
  }

  static let engine: Engine = {
    var settings = EngineSettings()
    settings.maximumInstances = 64
    return Engine(settings)
  }()
  static let clock = EpochClock(engine: engine)

  var configuration = ServiceConfiguration()
  var settings = SandboxSettings()
  var requestHead = RequestHead(uri: "/", headers: HeaderList([("host", "edge.example")]))
  var requestBody = ""

  /// Compiles and runs a module to its end.
  func run(_ text: String) async throws -> Outcome {
    let module = try Module(engine: GuestHarness.engine, bytes: try Module.binary(fromText: text))
    let prepared = try HostcallTable.prepare(module, engine: GuestHarness.engine, trapOnUnknown: false)
    let program = Program(
      moduleID: "0123456789abcdef", name: "test", prepared: prepared, wasCached: false, path: "test.wasm",
      symbolFile: nil)
    let traces = ProfileStore(mode: .deep, hostcalls: HostcallNameTable(names: HostcallTable.traceNames))
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let service = Service(
      program: program, configuration: configuration, settings: settings, clock: GuestHarness.clock, traces: traces,
      logs: LogRouter(), logger: logger, shared: Service.Shared(logger: logger))
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let (head, text) = (requestHead, requestBody)
    let ending = eventLoop.makePromise(of: GuestEnding.self)
    let response = eventLoop.makePromise(of: (UInt16?, String).self)
    eventLoop.execute {
      let body = BodyPipe(expectedLength: text.utf8.count)
      body.write(ByteBuffer(string: text))
      body.finish()
      let request = DownstreamRequest(
        head: head, body: body, connection: DownstreamConnection(clientAddress: nil, serverAddress: nil))
      let responder = CollectingResponder { response.succeed(($0, $1)) }
      service.run(request, responder: responder, on: eventLoop) { ending.succeed($0) }
    }
    let (result, (status, content)) = (try await ending.futureResult.get(), try await response.futureResult.get())
    for _ in 0..<500 where traces.recent(1).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
    return Outcome(ending: result, trace: try #require(traces.recent(1).first), status: status, body: content)
  }
}

/// Keeps the response that a guest sends.
private final class CollectingResponder: DownstreamResponder {
  let isClosed = false
  var onClosed: (() -> Void)?
  var onDelivered: ((DownstreamDelivery) -> Void)?
  private let done: (UInt16?, String) -> Void
  private var status: UInt16?
  private var content = ""

  init(done: @escaping (UInt16?, String) -> Void) { self.done = done }

  func sendInformational(_ head: ResponseHead) {}

  func send(_ head: ResponseHead, framing: FramingMode, closeAfter: Bool, body: OutgoingBody) {
    status = head.status
    switch body {
    case .empty: finish(aborted: false)
    case .bytes(let bytes):
      content = String(buffer: bytes)
      finish(aborted: false)
    case .pipe(let pipe, _):
      pipe.onReadable = { [self, unowned pipe] in drain(pipe) }
      drain(pipe)
    }
  }

  private func drain(_ pipe: BodyPipe) {
    while true {
      switch pipe.read() {
      case .bytes(let bytes): content += String(buffer: bytes)
      case .pending: return
      case .end:
        pipe.onReadable = nil
        return finish(aborted: false)
      case .failed:
        pipe.onReadable = nil
        return finish(aborted: true)
      }
    }
  }

  func abort() { finish(aborted: true) }

  private func finish(aborted: Bool) {
    var delivery = DownstreamDelivery()
    delivery.isAborted = aborted
    delivery.bodyBytes = content.utf8.count
    let callback = onDelivered
    onDelivered = nil
    callback?(delivery)
    done(status, content)
  }
}
