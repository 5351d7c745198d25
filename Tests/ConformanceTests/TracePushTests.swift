import Foundation
import Testing

/// A receiver of spans made of OpenTelemetry's own message classes (`Tests/Readers/otlp_receiver.py`).
private struct Receiver {
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let packages = package.appendingPathComponent(".tools/python").path
  static let isThere = Places.exists(packages)
  static let advice: Comment = "OpenTelemetry's Python packages are not in .tools; `make bootstrap` fetches them"

  let child: ChildProcess
  let folder: String
  let port: Int

  static func start(failures: Int) async throws -> Receiver {
    let folder = try Places.newFolder()
    let script = package.appendingPathComponent("Tests/Readers/otlp_receiver.py").path
    let child = try ChildProcess(
      "/usr/bin/env", ["python3", script, folder, "\(failures)"],
      environment: ["PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"])
    try await eventually("the receiver listens") {
      if let ending = child.poll { throw HarnessError("the receiver ended: \(ending)\n\(child.errors)") }
      return Places.exists(folder + "/port")
    }
    let port = try String(contentsOfFile: folder + "/port", encoding: .utf8)
    return Receiver(child: child, folder: folder, port: Int(port) ?? 0)
  }

  /// What was sent so far.
  func spans() throws -> [PushedSpan] {
    guard let data = FileManager.default.contents(atPath: folder + "/spans") else { return [] }
    return try data.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(PushedSpan.self, from: $0) }
  }

  var mistakes: String { (try? String(contentsOfFile: folder + "/mistakes", encoding: .utf8)) ?? "" }

  /// Waits until so many spans have come.
  func spans(_ count: Int) async throws -> [PushedSpan] {
    try await eventually("\(count) spans") {
      if !mistakes.isEmpty { throw HarnessError("the receiver refused: \(mistakes)") }
      return try spans().count >= count
    }
    return try spans()
  }
}

private struct PushedSpan: Decodable {
  enum Value: Decodable, Equatable {
    case text(String)
    case flag(Bool)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = try (try? container.decode(Bool.self)).map { .flag($0) } ?? .text(container.decode(String.self))
    }
  }

  let name: String
  let kind: String
  let traceId: String
  let spanId: String
  let parentSpanId: String?
  let service: String
  let key: String
  let attributes: [String: Value]
}

private func withReceiver(failures: Int = 0, _ body: (Receiver) async throws -> Void) async throws {
  let receiver = try await Receiver.start(failures: failures)
  do {
    try await body(receiver)
  } catch {
    await receiver.child.end()
    throw error
  }
  await receiver.child.end()
}

@Suite("Conformance: pushing traces", .timeLimit(.minutes(5)), .enabled(if: Receiver.isThere, Receiver.advice))
struct TracePushTests {
  private static let traceID = "0af7651916cd43dd8448eb211c80319c"
  private static let parent = "00f067aa0ba902b7"
  private static let fromClient = "traceparent: 00-\(traceID)-\(parent)-01\r\ntracestate: vendor=1\r\n"

  private func field(_ name: String, of seen: Origin.Seen?) -> String? {
    let lines = seen?.head.split(separator: "\r\n") ?? []
    return lines.first { $0.lowercased().hasPrefix(name + ":") }.map { String($0.dropFirst(name.count + 2)) }
  }

  @Test(arguments: ["http/protobuf", "http/json"])
  func aRequestAndItsBackendCallJoinTheClientsTrace(format: String) async throws {
    try await withReceiver { receiver in
      try await withOrigin { origin in
        let environment = [
          "OTEL_EXPORTER_OTLP_PROTOCOL": format, "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_SERVICE_NAME": "shop",
          "OTEL_EXPORTER_OTLP_HEADERS": "x-key=sesame", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        ]
        let arguments = ["-b", "origin=127.0.0.1:\(origin.port)", "--otlp", "http://127.0.0.1:\(receiver.port)"]
        try await withFastlike("proxy", arguments, environment: environment) { edge in
          let reply = try await edge.get("/hello?secret=1", headers: Self.fromClient)
          #expect(reply.status == 200)
          let spans = try await receiver.spans(2)
          let request = try #require(spans.first { $0.kind == "SPAN_KIND_SERVER" })
          let call = try #require(spans.first { $0.kind == "SPAN_KIND_CLIENT" })
          #expect(spans.allSatisfy { $0.traceId == Self.traceID && $0.service == "shop" && $0.key == "sesame" })
          #expect(request.parentSpanId == Self.parent)
          #expect(call.parentSpanId == request.spanId)
          #expect(request.attributes["url.path"] == .text("/hello"))
          #expect(call.attributes["fastlike.backend"] == .text("origin"))
          #expect(!"\(spans)".contains("secret"))
          let sent = field("traceparent", of: origin.seen.first)
          #expect(sent == "00-\(Self.traceID)-\(call.spanId)-01")
          #expect(field("tracestate", of: origin.seen.first) == "vendor=1")
        }
      }
    }
  }

  @Test func aTraceThatBeginsHereGoesOnToTheBackend() async throws {
    try await withReceiver { receiver in
      try await withOrigin { origin in
        let arguments = [
          "-b", "origin=127.0.0.1:\(origin.port)", "--otlp", "http://127.0.0.1:\(receiver.port)", "--otlp-hostcalls",
          "1",
        ]
        try await withFastlike("proxy", arguments, environment: ["OTEL_BSP_SCHEDULE_DELAY": "50"]) { edge in
          // So slow that no other hostcall takes longer, however busy the machine is.
          _ = try await edge.get("/slow?ms=500")
          let spans = try await receiver.spans(3)
          let request = try #require(spans.first { $0.kind == "SPAN_KIND_SERVER" })
          #expect(request.parentSpanId == nil)
          #expect(spans.contains { $0.kind == "SPAN_KIND_INTERNAL" && $0.name.hasPrefix("fastly_http_req.send") })
          #expect(field("traceparent", of: origin.seen.first)?.hasPrefix("00-\(request.traceId)-") == true)
        }
      }
    }
  }

  @Test func aBusyReceiverGetsTheSpansLater() async throws {
    try await withReceiver(failures: 2) { receiver in
      let arguments = ["--otlp", "http://127.0.0.1:\(receiver.port)"]
      try await withFastlike("hello", arguments, environment: ["OTEL_BSP_SCHEDULE_DELAY": "50"]) { edge in
        _ = try await edge.get("/")
        let spans = try await receiver.spans(1)
        #expect(spans.map(\.name) == ["GET"])
      }
    }
  }

  @Test func theEndOfTheProcessSendsWhatWaits() async throws {
    try await withReceiver { receiver in
      let arguments = ["--otlp", "http://127.0.0.1:\(receiver.port)"]
      try await withFastlike("hello", arguments, environment: ["OTEL_BSP_SCHEDULE_DELAY": "3600000"]) { edge in
        for _ in 0..<3 { _ = try await edge.get("/") }
        let ending = try await edge.stop()
        #expect(ending == .exited(0))
        let spans = try await receiver.spans(3)
        #expect(spans.count == 3)
      }
    }
  }

  @Test func withoutAReceiverTheClientsHeadersGoThroughAsTheGuestSendsThem() async throws {
    try await withOrigin { origin in
      try await withFastlike("proxy", ["-b", "origin=127.0.0.1:\(origin.port)"]) { edge in
        _ = try await edge.get("/hello", headers: Self.fromClient)
        _ = try await edge.get("/hello")
        #expect(field("traceparent", of: origin.seen.first) == "00-\(Self.traceID)-\(Self.parent)-01")
        #expect(field("traceparent", of: origin.seen.last) == nil)
      }
    }
  }

  @Test func anAbsentReceiverDelaysNobodyAndIsToldOnce() async throws {
    let arguments = ["--otlp", "http://127.0.0.1:1/"]
    let environment = [
      "OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_BSP_EXPORT_TIMEOUT": "100", "OTEL_EXPORTER_OTLP_TIMEOUT": "200",
    ]
    try await withFastlike("hello", arguments, environment: environment) { edge in
      for _ in 0..<5 {
        let reply = try await edge.get("/")
        #expect(reply.status == 200)
      }
      try await eventually("a warning") { edge.child.errors.contains("--otlp http://127.0.0.1:1/v1/traces: ") }
      let ending = try await edge.stop()
      #expect(ending == .exited(0))
    }
  }
}
