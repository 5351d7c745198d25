import Foundation
import Testing

@testable import FastlikeProfile

struct NativeJSONTests {
  private func decode(_ text: String) throws -> [RequestTrace] { try NativeJSONDecoder.decode(Array(text.utf8)) }

  private func object(_ trace: RequestTrace) throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: Data(NativeJSONEncoder.encode(trace)))
    return try #require(json as? [String: Any])
  }

  @Test func aTraceComesBackAsItWas() throws {
    for trace in [TraceSamples.full, TraceSamples.huge, RequestTrace(id: .max)] {
      let decoded = try NativeJSONDecoder.decode(NativeJSONEncoder.encode(trace))
      #expect(decoded.count == 1)
      #expect(decoded.first.map { Self.resolved($0) } == Self.resolved(trace))
    }
  }

  /// Hostcall indices belong to a table; the names are what counts.
  private static func resolved(_ trace: RequestTrace) -> RequestTrace {
    var trace = trace
    let names = HostcallNameTable(names: Set(trace.spans.map { trace.name(of: $0) }).sorted())
    for index in trace.spans.indices {
      trace.spans[index].hostcall = names.index(of: trace.name(of: trace.spans[index]))
    }
    trace.hostcalls = names
    return trace
  }

  @Test func manyTracesComeBackInOrder() throws {
    let traces = (1...3).map { RequestTrace(id: $0) }
    #expect(try NativeJSONDecoder.decode(NativeJSONEncoder.encode(traces)) == traces)
    #expect(try decode("[]").isEmpty)
    #expect(try NativeJSONDecoder.decode(NativeJSONEncoder.encode([RequestTrace]())).isEmpty)
  }

  @Test func theKeysOfTheGoFastlikeAreThere() throws {
    let object = try object(TraceSamples.full)
    for key in [
      "req_id", "module_id", "method", "url", "status", "wall_start", "wall_nanos", "header_flush_nanos",
      "guest_active_nanos", "hostcall_nanos", "native_cpu_nanos", "spans", "backend_calls", "native_samples", "dropped",
      "dropped_backend_calls", "outcome", "notes", "deep",
    ] {
      #expect(object[key] != nil, "\(key)")
    }
    #expect(object["hijacked_nanos"] == nil)
    #expect(object["wall_start"] as? String == "2026-05-23T10:00:00.123456789Z")
    let span = try #require((object["spans"] as? [[String: Any]])?.first)
    #expect(span["name"] as? String == "fastly_http_req.send")
    #expect(span["start_nanos"] as? Int == 400_000)
    #expect(span["duration_nanos"] as? Int == 5_000_000)
    #expect(span["rc"] as? Int == 0)
    #expect(span["tag_slots"] as? [Int] == [1, 2, 3, 4_294_967_295])
    let call = try #require((object["backend_calls"] as? [[String: Any]])?.first)
    #expect(call["url_redacted"] as? String == "http://origin.test:8080/x")
    #expect(call["ttfb_nanos"] as? Int == 3_550_000)
    #expect(call["outcome"] as? String == "ok")
    let sample = try #require((object["native_samples"] as? [[String: Any]])?.first)
    #expect(sample["function"] as? String == "parse")
    let deep = try #require(object["deep"] as? [String: Any])
    #expect((deep["request_headers"] as? [[String: Any]])?.first?["name"] as? String == "<redacted>")
  }

  @Test func aFileOfTheGoFastlikeIsRead() throws {
    let trace = try #require(
      try decode(
        """
        {"req_id": 3, "module_id": "ab", "method": "GET", "url": "/p?q=secret", "status": 200,
         "wall_start": "2026-05-23T12:00:00.5+02:00", "wall_nanos": 1000,
          "guest_active_nanos": 600, "hostcall_nanos": 400,
         "spans": [{"name": "xqd_req_send", "start_nanos": 1, "duration_nanos": 400, "rc": 0,
            "tag_slots": [1, -1, 0, 0]}],
         "backend_calls": [{"pending_id": 1, "name": "api", "method": "GET", "url_redacted": "http://api/",
            "started_nanos": 5,
           "dns_nanos": 10, "connect_nanos": 20, "total_nanos": 90, "status": 200, "req_header_bytes": 0,
           "resp_header_bytes": 0, "outcome": "ok"}],
         "native_samples": [{"relative_nanos": 7, "function": "main"}],
         "dropped": 0, "dropped_backend_calls": 0, "outcome": "ctx-canceled", "notes": ["n"]}
        """
      ).first)
    #expect(trace.url.description == "/p")
    #expect(trace.wallStartUnixNanos == 1_779_530_400_500_000_000)
    #expect(trace.spans.map { trace.name(of: $0) } == ["xqd_req_send"])
    #expect(trace.spans[0].tags == SIMD4(1, .max, 0, 0))
    #expect(trace.backendCalls[0].connect == BackendCall.Phase(start: 15, duration: 20))
    #expect(trace.backendCalls[0].tls == nil)
    #expect(trace.nativeSamples.map(\.function) == ["main"])
    #expect(trace.outcome == .contextCanceled)
    #expect(trace.time.guest == 600)
    #expect(trace.time.total == 1000)
  }

  @Test func aNewerFileIsReadAsFarAsItIsKnown() throws {
    let trace = try #require(
      try decode(
        """
        {"schema_version": 99, "req_id": 1, "wall_nanos": 5, "hologram": {"a": [1]}, "outcome": "melted",
         "spans": [{"name": "fastly_new.thing", "start_nanos": 0, "duration_nanos": 1, "color": "red", "labels": [9]}],
         "blocked": [{"start_nanos": 0, "duration_nanos": 1, "cause": "quantum"}],
         "backend_calls": [{"name": "b", "started_nanos": 0, "total_nanos": 1, "variant": "send_v9", "outcome": "odd"}],
         "deep": {"store_access": [{"kind": "vault", "name": "n", "count": 1}]}}
        """
      ).first)
    #expect(trace.outcome == .unrecognized)
    #expect(trace.spans.map { trace.name(of: $0) } == ["fastly_new.thing"])
    #expect(trace.labels(of: trace.spans[0]).isEmpty)
    #expect(trace.blocked.map(\.cause) == [.other])
    #expect(trace.backendCalls.map(\.variant) == [.other])
    #expect(trace.backendCalls.map(\.outcome) == [.unrecognized])
    #expect(trace.deep?.storeAccess.isEmpty == true)
  }

  @Test(arguments: [
    ("{}", "native trace: req_id: is missing"),
    ("{\"req_id\": 1}", "native trace: wall_nanos: is missing"),
    ("{\"req_id\": \"x\", \"wall_nanos\": 1}", "native trace: req_id: is not a whole number"),
    (
      "{\"req_id\": 1, \"wall_nanos\": -1}",
      "native trace: wall_nanos: is out of range; allowed: 0 to 4503599627370496"
    ),
    (
      "{\"traces\": [{\"req_id\": 1, \"wall_nanos\": 1, \"spans\": [{\"rc\": \"secret\"}]}]}",
      "native trace: traces[0].spans[0].rc: is not a whole number"
    ),
    (
      "{\"req_id\": 1, \"wall_nanos\": 1, \"schema_version\": 0}",
      "native trace: schema_version: is no version; allowed: 1 and up"
    ),
    (
      "{\"req_id\": 1, \"wall_nanos\": 1, \"wall_start\": \"soon\"}",
      "native trace: wall_start: is no RFC 3339 timestamp between 1824 and 2116"
    ),
    (
      "{\"req_id\": 1, \"wall_nanos\": 1, \"guest_stacks\": {\"frames\": [], \"nodes\": [[0, -1]]}}",
      "native trace: guest_stacks.nodes: refers to a frame that is missing or to a parent that does not come first"
    ),
  ]) func badValuesAreNamedByTheirPlace(text: String, message: String) {
    let error = #expect(throws: NativeJSONError.self) { try decode(text) }
    #expect(error?.description == message)
  }

  @Test func textThatIsNoJSONAndTooMuchOfItIsRefused() {
    #expect(throws: NativeJSONError.self) { try decode("") }
    #expect(throws: NativeJSONError.self) { try decode("{\"req_id\": 1,") }
    #expect(throws: NativeJSONError.self) { try decode(String(repeating: "[", count: 100_000)) }
    #expect(throws: NativeJSONError.tooLarge(limit: 3)) { try NativeJSONDecoder.decode(Array("[   ]".utf8), limit: 3) }
  }

  @Test(arguments: [11, 12, 13] as [UInt64]) func damagedFilesNeverCrash(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let whole = NativeJSONEncoder.encode(TraceSamples.full)
    for _ in 0..<100 {
      var bytes = Array(whole.prefix(Int.random(in: 1...whole.count, using: &generator)))
      if Bool.random(using: &generator) { bytes = whole }
      for _ in 0..<Int.random(in: 0...5, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      do {
        for trace in try NativeJSONDecoder.decode(bytes) {
          #expect(trace.time.blocked.total >= 0, "seed \(seed)")
          _ = NativeJSONEncoder.encode(trace)
        }
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test func textIsEscaped() throws {
    var trace = RequestTrace(id: 1)
    trace.moduleName = "a\"b\\c\u{1}</script>é"
    let text = String(decoding: NativeJSONEncoder.encode(trace), as: UTF8.self)
    #expect(text.contains("\"a\\\"b\\\\c\\u0001\\u003c/script>é\""))
    #expect(try object(trace)["module_name"] as? String == trace.moduleName)
  }

  @Test func numbersAreWrittenWhole() {
    var json = JSONByteWriter()
    json.beginArray()
    for number in [0, 9, 10, -1, Int64.max, .min] { json.value(number) }
    json.value(unsigned: .max)
    json.endArray()
    #expect(
      String(decoding: json.bytes, as: UTF8.self)
        == "[0,9,10,-1,9223372036854775807,-9223372036854775808,18446744073709551615]")
  }
}

struct NativeJSONTimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z"),
      (-1, "1969-12-31T23:59:59.999999999Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
      (1_798_761_599_000_000_001, "2026-12-31T23:59:59.000000001Z"),
    ] as [(Int64, String)]) func timestampsGoBothWays(nanos: Int64, text: String)
  {
    #expect(NativeJSONTimestamp.format(unixNanos: nanos) == text)
    #expect(NativeJSONTimestamp.parse(text) == nanos)
  }

  @Test func offsetsAndShortFractionsAreRead() {
    #expect(NativeJSONTimestamp.parse("1970-01-01T01:00:00.5+01:00") == 500_000_000)
    #expect(NativeJSONTimestamp.parse("1969-12-31T22:30:00-01:30") == 0)
  }

  @Test(arguments: [
    "", "1970", "1970-13-01T00:00:00Z", "1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "x970-01-01T00:00:00Z",
  ])
  func otherTextIsNone(text: String) {
    #expect(NativeJSONTimestamp.parse(text) == nil)
  }
}
