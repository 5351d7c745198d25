import Foundation
import SwiftProtobuf
import Testing

@testable import FastlikeProfile

struct OTLPTests {
  private static let resource = [
    (key: "service.name", value: "shop"), (key: "deployment.environment.name", value: "test"),
  ]

  private static func encoder(_ format: OTLPEncoder.Format = .protobuf, hostcalls: Int = 0) -> OTLPEncoder {
    OTLPEncoder(resource: resource, version: "1.2.3", hostcalls: hostcalls, format: format)
  }

  /// With places in distributed traces that are the same in every run; the requests with odd ids have a client's span.
  private static func placed(_ traces: [RequestTrace]) -> [RequestTrace] {
    traces.map { trace in
      var trace = trace
      trace.context = TraceContext(
        traceHigh: 0x0AF7_6519_16CD_43DD, traceLow: 0x8448_EB21_1C80_3190 + trace.id,
        spanID: 0xB7AD_6B71_6920_3330 + trace.id,
        parentSpanID: trace.id.isMultiple(of: 2) ? nil : 0x00F0_67AA_0BA9_02B7)
      return trace
    }
  }

  private static func spans(_ traces: [RequestTrace], hostcalls: Int = 0) throws -> [OTLPMessageSpan] {
    let batch = encoder(hostcalls: hostcalls).encode(placed(traces))
    let request = try OTLPMessageExportTraceServiceRequest(serializedBytes: batch.bytes)
    let spans = request.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }
    #expect(spans.count == batch.spans)
    return spans
  }

  private static func value(_ key: String, of span: OTLPMessageSpan) -> String? {
    span.attributes.first { $0.key == key }
      .map { attribute in
        switch attribute.value.value {
        case .stringValue(let text): text
        case .intValue(let number): "\(number)"
        case .boolValue(let flag): "\(flag)"
        case nil: ""
        }
      }
  }

  @Test(arguments: TraceFixture.allCases)
  func theJSONEqualsItsGolden(fixture: TraceFixture) throws {
    let batch = Self.encoder(.json, hostcalls: 3).encode(Self.placed(fixture.traces))
    try ExportGolden.check(ExportJSONLayout.lines(batch.bytes), fixture.rawValue + ".otlp.json")
  }

  @Test func aRequestIsAServerSpanBelowTheClients() throws {
    let span = try #require(try Self.spans([TraceFixture.normalTrace()]).first)
    #expect(span.kind == .server)
    #expect(span.name == "GET")
    #expect(span.traceID.map { String(format: "%02x", $0) }.joined() == "0af7651916cd43dd8448eb211c803191")
    #expect(span.parentSpanID.map { String(format: "%02x", $0) }.joined() == "00f067aa0ba902b7")
    #expect(span.flags == 0x301)
    #expect(span.startTimeUnixNano == UInt64(TraceFixture.wallStart))
    #expect(span.endTimeUnixNano == UInt64(TraceFixture.wallStart) + 10_000_000)
    #expect(Self.value("url.path", of: span) == "/shop/items")
    #expect(Self.value("server.address", of: span) == "edge.example")
    #expect(Self.value("server.port", of: span) == "443")
    #expect(Self.value("fastlike.blocked.backend_ns", of: span) == "5800000")
    #expect(span.status.code == .unset)
  }

  @Test func aRequestWithoutAClientsSpanIsARoot() throws {
    let span = try #require(try Self.spans([TraceFixture.trapTrace()]).first)
    #expect(span.parentSpanID.isEmpty)
    #expect(span.flags == 0x101)
    #expect(span.status.code == .error)
    #expect(Self.value("error.type", of: span) == "trap")
    #expect(span.events.map(\.name) == ["fastlike.note", "fastlike.note"])
  }

  @Test func aBackendCallIsAClientSpanBelowTheRequest() throws {
    let spans = try Self.spans([TraceFixture.normalTrace()])
    let call = try #require(spans.last)
    #expect(spans.count == 2)
    #expect(call.kind == .client)
    #expect(call.parentSpanID == spans[0].spanID)
    #expect(call.startTimeUnixNano == UInt64(TraceFixture.wallStart) + 1_050_000)
    #expect(Self.value("url.full", of: call) == "https://origin.example/api/items")
    #expect(Self.value("network.peer.address", of: call) == "192.0.2.7")
    #expect(Self.value("network.peer.port", of: call) == "443")
    #expect(Self.value("fastlike.phase.tls_ns", of: call) == "900000")
    let context = try #require(Self.placed([TraceFixture.normalTrace()])[0].context)
    #expect(context.traceparent(ofCall: 0).contains(call.spanID.map { String(format: "%02x", $0) }.joined()))
  }

  @Test func callsThatFailedAreErrorsAndThoseThatWereGivenUpAreNot() throws {
    let calls = try Self.spans([TraceFixture.overlappingTrace()]).filter { $0.kind == .client }
    #expect(calls.map { Self.value("error.type", of: $0) } == [nil, "dns_error", nil, nil])
    #expect(calls.map(\.status.code) == [.unset, .error, .unset, .unset])
  }

  @Test func onlyTheLongestHostcallsAreSpans() throws {
    let spans = try Self.spans([TraceFixture.normalTrace()], hostcalls: 2).filter { $0.kind == .internal }
    #expect(spans.map(\.name) == ["fastly_http_req.send", "fastly_kv_store.lookup"])
    #expect(Self.value("fastlike.kv_store", of: spans[1]) == "sessions")
    #expect(try Self.spans([TraceFixture.hugeTrace()], hostcalls: 100_000).count { $0.kind == .internal } == 1000)
  }

  @Test func idsDifferWithinATrace() throws {
    let spans = try Self.spans([TraceFixture.hugeTrace()], hostcalls: 1000)
    #expect(Set(spans.map(\.spanID)).count == spans.count)
  }

  @Test func methodsThatAreNotKnownAreTold() throws {
    var trace = TraceFixture.normalTrace()
    trace.method = "BREW"
    let span = try #require(try Self.spans([trace]).first)
    #expect(span.name == "HTTP")
    #expect(Self.value("http.request.method", of: span) == "_OTHER")
    #expect(Self.value("http.request.method_original", of: span) == "BREW")
  }

  @Test(
    arguments: [
      ("a:80", "a", 80), ("a", "a", nil), ("[::1]:8080", "::1", 8080), ("[::1]", "::1", nil), ("::1", "::1", nil),
      ("a:", "a:", nil),
    ] as [(String, String, Int64?)])
  func authoritiesAreSplit(authority: String, host: String, port: Int64?) {
    let found = OTLPRequestSpans.hostAndPort(authority)
    #expect(found.host == host)
    #expect(found.port == port)
  }

  @Test func whatAReceiverRejectsIsRead() throws {
    var answer = OTLPMessageExportTraceServiceResponse()
    answer.partialSuccess.rejectedSpans = 7
    #expect(Self.encoder().rejectedSpans(in: answer.wireBytes()) == 7)
    let json = #"{"partialSuccess":{"rejectedSpans":"9","errorMessage":"full"}}"#
    #expect(Self.encoder(.json).rejectedSpans(in: Array(json.utf8)) == 9)
    #expect(Self.encoder(.json).rejectedSpans(in: Array("{}".utf8)) == 0)
    #expect(Self.encoder().rejectedSpans(in: Array("no message".utf8)) == 0)
  }

  @Test(.enabled(if: ExternalReader.python.isThere, ExternalReader.python.advice), arguments: TraceFixture.allCases)
  func openTelemetrysOwnMessagesReadBothFormatsTheSame(fixture: TraceFixture) throws {
    let traces = Self.placed(fixture.traces)
    let binary = Self.encoder(hostcalls: 3).encode(traces)
    let json = Self.encoder(.json, hostcalls: 3).encode(traces)
    let read = try ExternalReader.python.read(binary.bytes, ["otlp_text.py", "protobuf"])
    #expect(try ExternalReader.python.read(json.bytes, ["otlp_text.py", "json"]) == read)
    #expect(read.contains("\"shop\""))
  }
}
