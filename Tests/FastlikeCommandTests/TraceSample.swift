import FastlikeProfile
import Foundation

/// Traces as the tests of the trace commands need them.
enum TraceSample {
  private static let ms: Int64 = 1_000_000
  private static let hostcalls = HostcallNameTable(names: ["fastly_http_req.send", "fastly_kv_store.lookup"])

  /// 426 ms, of which 400 ms are a wait for a backend. The account closes.
  static func slow(id: UInt64 = 12) -> RequestTrace {
    let spans = [
      Span(hostcall: 1, start: 2 * ms, duration: 402 * ms, blocked: 400 * ms),
      Span(hostcall: 2, start: 405 * ms, duration: ms),
      Span(hostcall: 2, start: 407 * ms, duration: 2 * ms, status: 10),
    ]
    let wait = BlockedInterval(start: 3 * ms, duration: 400 * ms, cause: .backend, inHostcall: true)
    var blocked = BlockedTime()
    blocked.backend = 400 * ms
    let call = BackendCall(
      name: "origin", url: RedactedURL("https://origin.example/items"), started: 2 * ms,
      dns: .init(start: 2 * ms, duration: ms), connect: .init(start: 3 * ms, duration: 2 * ms),
      requestSent: 6 * ms, firstByte: 402 * ms, totalNanos: 401 * ms, status: 200, outcome: .ok)
    return RequestTrace(
      id: id, moduleID: "0011223344556677", moduleName: "app.wasm", url: RedactedURL("http://edge.example/slow"),
      status: 200, responseBytes: 5, wallStartUnixNanos: 1_767_225_600_123_000_000 + Int64(id), wallNanos: 426 * ms,
      time: TimeAccount(
        closing: 426 * ms, queue: 0, setup: ms, host: 5 * ms, blocked: blocked, blockedInHostcalls: 400 * ms),
      hostcalls: hostcalls, spans: spans, backendCalls: [call], blocked: [wait], droppedSpans: 3,
      notes: [TraceNote("a remark")])
  }

  /// A request that ended in this way, without anything in it.
  static func bare(
    id: UInt64, path: String = "/", status: Int = 200, outcome: TraceOutcome = .normal, wall: Int64 = 3_000_000
  ) -> RequestTrace {
    RequestTrace(
      id: id, moduleID: "m", method: "POST", url: RedactedURL(path), status: status,
      wallStartUnixNanos: 1_767_225_600_123_000_000 + Int64(id), wallNanos: wall, outcome: outcome)
  }
}

/// A temporary folder, gone with its owner, and an archive in it.
final class TraceFolder {
  let root: URL
  /// The archive's folder.
  var archive: String { root.appendingPathComponent("archive").path }

  init(_ traces: RequestTrace...) throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    let archive = try TraceArchive(directory: archive)
    for trace in traces { archive.append(trace) }
    archive.close()
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func file(_ name: String) -> String { root.appendingPathComponent(name).path }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() }
}
