/// The keys of a trace. One type for all objects: each reads the ones that it has.
enum NativeJSONKey: String, CodingKey {
  case schemaVersion = "schema_version"
  case id = "req_id"
  case moduleID = "module_id"
  case moduleName = "module_name"
  case processID = "process_id"
  case method, url, status, name, variant, outcome, failure, notes, deep, labels, kind, module, inlined, file, line,
    count, bytes
  case httpVersion = "http_version"
  case responseBytes = "response_bytes"
  case wallStart = "wall_start"
  case wallStartUnixNanos = "wall_start_unix_nanos"
  case monotonicStartNanos = "monotonic_start_nanos"
  case wallNanos = "wall_nanos"
  case headerFlushNanos = "header_flush_nanos"
  case guestActiveNanos = "guest_active_nanos"
  case hostcallNanos = "hostcall_nanos"
  case nativeCPUNanos = "native_cpu_nanos"
  case guestFuel = "guest_fuel"
  case hijackedNanos = "hijacked_nanos"
  case traceContext = "trace_context"
  case traceID = "trace_id"
  case spanID = "span_id"
  case parentSpanID = "parent_span_id"
  case flags
  case time, spans, blocked, cause, rc
  case queueNanos = "queue_nanos"
  case setupNanos = "setup_nanos"
  case guestNanos = "guest_nanos"
  case hostNanos = "host_nanos"
  case blockedNanos = "blocked_nanos"
  case blockedInHostcallsNanos = "blocked_in_hostcalls_nanos"
  case queue, backend, client, cache, store, timer, other
  case startNanos = "start_nanos"
  case durationNanos = "duration_nanos"
  case tagSlots = "tag_slots"
  case inHostcall = "in_hostcall"
  case backendCalls = "backend_calls"
  case nativeSamples = "native_samples"
  case nativeStacks = "native_stacks"
  case guestStacks = "guest_stacks"
  case frames, nodes, samples, stack, thread, function
  case relativeNanos = "relative_nanos"
  case weightNanos = "weight_nanos"
  case dropped
  case droppedBackendCalls = "dropped_backend_calls"
  case droppedBlocked = "dropped_blocked"
  case droppedGuestSamples = "dropped_guest_samples"
  case memoryGrowth = "memory_growth"
  case droppedMemoryGrowth = "dropped_memory_growth"
  case fromBytes = "from_bytes"
  case toBytes = "to_bytes"
  case pendingID = "pending_id"
  case urlRedacted = "url_redacted"
  case startedNanos = "started_nanos"
  case dnsNanos = "dns_nanos"
  case dnsStartNanos = "dns_start_nanos"
  case connectNanos = "connect_nanos"
  case connectStartNanos = "connect_start_nanos"
  case tlsNanos = "tls_nanos"
  case tlsStartNanos = "tls_start_nanos"
  case requestSentNanos = "request_sent_nanos"
  case ttfbNanos = "ttfb_nanos"
  case totalNanos = "total_nanos"
  case requestHeaderBytes = "req_header_bytes"
  case requestBodyBytes = "req_body_bytes"
  case responseHeaderBytes = "resp_header_bytes"
  case responseBodyBytes = "resp_body_bytes"
  case reused, peer, dynamic, collapsed
  case bodyReadBytes = "body_read_bytes"
  case bodyWriteBytes = "body_write_bytes"
  case cacheLookups = "cache_lookups"
  case cacheInserts = "cache_inserts"
  case cacheHits = "cache_hits"
  case cacheMisses = "cache_misses"
  case cacheStale = "cache_stale"
  case requestHeaders = "request_headers"
  case responseHeaders = "response_headers"
  case heapSamples = "heap_samples"
  case heapSamplesDropped = "heap_samples_dropped"
  case storeAccess = "store_access"
  case memoryBytes = "memory_bytes"
}

typealias NativeJSONObject = KeyedDecodingContainer<NativeJSONKey>

extension KeyedDecodingContainer where K == NativeJSONKey {
  /// Numbers above this could overflow where a reader adds them up: 52 days in nanoseconds, 4 PiB in bytes.
  private static var largestNumber: Int64 { 1 << 52 }

  func text(_ key: Key) throws -> String { try decodeIfPresent(String.self, forKey: key) ?? "" }

  func flag(_ key: Key) throws -> Bool { try decodeIfPresent(Bool.self, forKey: key) ?? false }

  /// A number from 0 on that may be absent.
  func optionalNumber(_ key: Key) throws -> Int64? {
    guard let number = try decodeIfPresent(Int64.self, forKey: key) else { return nil }
    guard (0...Self.largestNumber).contains(number) else {
      throw refused(key, "is out of range; allowed: 0 to \(Self.largestNumber)")
    }
    return number
  }

  /// A number from 0 on; 0 when it is absent.
  func number(_ key: Key) throws -> Int64 { try optionalNumber(key) ?? 0 }

  /// A number from 0 on that must be there.
  func requiredNumber(_ key: Key) throws -> Int64 {
    guard contains(key) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: ""))
    }
    return try number(key)
  }

  func small(_ key: Key) throws -> UInt32 { UInt32(clamping: try number(key)) }

  func list<Element: Decodable>(_ key: Key, of type: Element.Type) throws -> [Element] {
    try decodeIfPresent([Element].self, forKey: key) ?? []
  }

  func refused(_ key: Key, _ reason: String) -> DecodingError {
    .dataCorrupted(
      .init(codingPath: codingPath + [key], debugDescription: "", underlyingError: NativeJSONReason(text: reason)))
  }
}

struct DecodedTrace: Decodable {
  let trace: RequestTrace

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    if let version = try object.decodeIfPresent(Int.self, forKey: .schemaVersion), version < 1 {
      throw object.refused(.schemaVersion, "is no version; allowed: 1 and up")
    }
    var trace = RequestTrace(id: try object.decode(UInt64.self, forKey: .id))
    try Self.readHead(of: &trace, from: object)
    let spans = try object.list(.spans, of: DecodedSpan.self)
    let labels = try object.list(.labels, of: DecodedLabel.self).map(\.label)
    trace.labels = labels.first == TraceLabel.none ? labels : [.none] + labels
    try Self.readSpans(spans, into: &trace, object)
    trace.backendCalls = try object.list(.backendCalls, of: DecodedBackendCall.self).map(\.call)
    trace.blocked = try object.list(.blocked, of: DecodedBlockedInterval.self).map(\.interval)
    trace.guestStacks = try object.decodeIfPresent(DecodedStacks.self, forKey: .guestStacks)?.profile ?? .empty
    if let stacks = try object.decodeIfPresent(DecodedStacks.self, forKey: .nativeStacks) {
      trace.nativeStacks = stacks.profile
    } else {
      trace.nativeStacks = DecodedNativeSample.profile(
        of: try object.list(.nativeSamples, of: DecodedNativeSample.self))
    }
    trace.memoryGrowth = try object.list(.memoryGrowth, of: DecodedMemoryGrowth.self).map(\.growth)
    trace.droppedMemoryGrowth = Int(try object.number(.droppedMemoryGrowth))
    trace.time =
      try object.decodeIfPresent(DecodedTime.self, forKey: .time)?.time
      ?? TimeAccount(guest: object.number(.guestActiveNanos), host: trace.hostcallNanos)
    trace.deep = try object.decodeIfPresent(DecodedDeepMetrics.self, forKey: .deep)?.metrics
    self.trace = trace
  }

  private static func readHead(of trace: inout RequestTrace, from object: NativeJSONObject) throws {
    trace.moduleID = PrintableText.bounded(try object.text(.moduleID), to: 256)
    trace.moduleName = PrintableText.bounded(try object.text(.moduleName), to: 256)
    trace.processID = Int32(clamping: try object.number(.processID))
    trace.method = PrintableText.method(try object.text(.method))
    trace.url = RedactedURL(try object.text(.url))
    trace.httpVersion = HTTPVersion(rawValue: try object.text(.httpVersion))
    trace.status = Int(try object.number(.status))
    trace.responseBytes = try object.number(.responseBytes)
    trace.wallStartUnixNanos = try wallStart(object)
    let monotonic = try object.decodeIfPresent(UInt64.self, forKey: .monotonicStartNanos) ?? 0
    guard monotonic < 1 << 62 else { throw object.refused(.monotonicStartNanos, "is out of range") }
    trace.monotonicStartNanos = monotonic
    trace.wallNanos = try object.requiredNumber(.wallNanos)
    trace.headerFlushNanos = try object.optionalNumber(.headerFlushNanos)
    trace.hijackedNanos = try object.optionalNumber(.hijackedNanos)
    trace.nativeCPUNanos = try object.optionalNumber(.nativeCPUNanos)
    trace.guestFuel = try object.optionalNumber(.guestFuel)
    trace.context = try object.decodeIfPresent(DecodedTraceContext.self, forKey: .traceContext)?.context
    trace.hostcallNanos = try object.number(.hostcallNanos)
    trace.droppedSpans = Int(try object.number(.dropped))
    trace.droppedBackendCalls = Int(try object.number(.droppedBackendCalls))
    trace.droppedBlockedIntervals = Int(try object.number(.droppedBlocked))
    trace.droppedGuestSamples = Int(try object.number(.droppedGuestSamples))
    trace.outcome = TraceOutcome(wireName: try object.decodeIfPresent(String.self, forKey: .outcome) ?? "normal")
    trace.notes = try object.list(.notes, of: String.self).map { TraceNote(decoded: $0) }
  }

  private static func wallStart(_ object: NativeJSONObject) throws -> Int64 {
    if let nanos = try object.decodeIfPresent(Int64.self, forKey: .wallStartUnixNanos) {
      guard abs(nanos / 2) < 1 << 61 else { throw object.refused(.wallStartUnixNanos, "is out of range") }
      return nanos
    }
    let text = try object.text(.wallStart)
    guard !text.isEmpty else { return 0 }
    guard let nanos = NativeJSONTimestamp.parse(text), abs(nanos / 2) < 1 << 61 else {
      throw object.refused(.wallStart, "is no RFC 3339 timestamp between 1824 and 2116")
    }
    return nanos
  }

  private static func readSpans(
    _ spans: [DecodedSpan], into trace: inout RequestTrace, _ object: NativeJSONObject
  ) throws {
    var names: [String] = [HostcallNameTable.unknownName]
    var indices: [String: UInt16] = [HostcallNameTable.unknownName: 0]
    var sum: Int64 = 0
    trace.spans = try spans.map { decoded in
      var span = decoded.span
      sum += span.duration
      guard sum < 1 << 62 else { throw object.refused(.spans, "last longer than can be added up") }
      if let known = indices[decoded.name] {
        span.hostcall = known
      } else if names.count <= Int(UInt16.max) {
        span.hostcall = UInt16(names.count)
        indices[decoded.name] = span.hostcall
        names.append(decoded.name)
      }
      if Int(span.label0) >= trace.labels.count { span.label0 = 0 }
      if Int(span.label1) >= trace.labels.count { span.label1 = 0 }
      return span
    }
    if names.count > 1 { trace.hostcalls = HostcallNameTable(names: names) }
  }
}
