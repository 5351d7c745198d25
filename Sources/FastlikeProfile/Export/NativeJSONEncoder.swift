/// Writes traces in the native schema: the keys of the Go fastlike, and more.
public enum NativeJSONEncoder {
  /// What is written as `schema_version`. The Go fastlike's files have none and count as 1.
  public static let schemaVersion = 2

  /// One trace as one object.
  public static func encode(_ trace: RequestTrace) -> [UInt8] {
    var json = JSONByteWriter(
      reserving: 2048 + trace.spans.count * 160 + trace.backendCalls.count * 640 + trace.blocked.count * 96)
    write(trace, to: &json)
    return json.bytes
  }

  /// Many traces, in the order given: `{"schema_version": 2, "traces": [ … ]}`.
  public static func encode(_ traces: some Sequence<RequestTrace>) -> [UInt8] {
    var json = JSONByteWriter()
    json.beginObject()
    json.field("schema_version", schemaVersion)
    json.key("traces")
    json.beginArray()
    for trace in traces { write(trace, to: &json) }
    json.endArray()
    json.endObject()
    return json.bytes
  }

  private static func write(_ trace: RequestTrace, to json: inout JSONByteWriter) {
    json.beginObject()
    json.field("schema_version", schemaVersion)
    json.key("req_id")
    json.value(unsigned: trace.id)
    json.field("module_id", trace.moduleID)
    if !trace.moduleName.isEmpty { json.field("module_name", trace.moduleName) }
    json.field("process_id", Int64(trace.processID))
    json.field("method", trace.method)
    json.field("url", trace.url.description)
    if let version = trace.httpVersion { json.field("http_version", version.rawValue) }
    json.field("status", trace.status)
    json.field("response_bytes", trace.responseBytes)
    json.field("wall_start", NativeJSONTimestamp.format(unixNanos: trace.wallStartUnixNanos))
    json.field("wall_start_unix_nanos", trace.wallStartUnixNanos)
    json.key("monotonic_start_nanos")
    json.value(unsigned: trace.monotonicStartNanos)
    json.field("wall_nanos", trace.wallNanos)
    json.field("header_flush_nanos", ifPresent: trace.headerFlushNanos)
    json.field("guest_active_nanos", trace.guestActiveNanos)
    json.field("hostcall_nanos", trace.hostcallNanos)
    json.field("native_cpu_nanos", ifPresent: trace.nativeCPUNanos)
    json.field("guest_fuel", ifPresent: trace.guestFuel)
    json.field("hijacked_nanos", ifPresent: trace.hijackedNanos)
    if let context = trace.context { writeContext(context, to: &json) }
    writeTime(trace.time, to: &json)
    writeLabels(trace.labels, to: &json)
    writeSpans(trace, to: &json)
    writeBackendCalls(trace.backendCalls, to: &json)
    writeBlocked(trace.blocked, to: &json)
    writeNativeSamples(trace, to: &json)
    if !trace.guestStacks.isEmpty {
      json.key("guest_stacks")
      writeStacks(trace.guestStacks, to: &json)
    }
    writeMemoryGrowth(trace, to: &json)
    json.field("dropped", trace.droppedSpans)
    json.field("dropped_backend_calls", trace.droppedBackendCalls)
    json.field("dropped_blocked", trace.droppedBlockedIntervals)
    json.field("dropped_guest_samples", trace.droppedGuestSamples)
    json.field("outcome", trace.outcome.wireName)
    if !trace.notes.isEmpty {
      json.key("notes")
      json.beginArray()
      for note in trace.notes { json.value(note.text) }
      json.endArray()
    }
    if let deep = trace.deep { writeDeep(deep, to: &json) }
    json.endObject()
  }

  private static func writeContext(_ context: TraceContext, to json: inout JSONByteWriter) {
    json.key("trace_context")
    json.beginObject()
    json.field("trace_id", context.traceID)
    json.field("span_id", TraceContext.text(context.spanID))
    if let parent = context.parentSpanID { json.field("parent_span_id", TraceContext.text(parent)) }
    json.field("flags", Int64(context.flags))
    json.endObject()
  }

  private static func writeMemoryGrowth(_ trace: RequestTrace, to json: inout JSONByteWriter) {
    guard !trace.memoryGrowth.isEmpty else { return }
    json.key("memory_growth")
    json.beginArray()
    for growth in trace.memoryGrowth {
      json.beginObject()
      json.field("relative_nanos", growth.relativeNanos)
      json.field("from_bytes", growth.fromBytes)
      json.field("to_bytes", growth.toBytes)
      json.key("stack")
      json.beginArray()
      for name in growth.stack { json.value(name) }
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.field("dropped_memory_growth", trace.droppedMemoryGrowth)
  }

  private static func writeTime(_ time: TimeAccount, to json: inout JSONByteWriter) {
    json.key("time")
    json.beginObject()
    json.field("queue_nanos", time.queue)
    json.field("setup_nanos", time.setup)
    json.field("guest_nanos", time.guest)
    json.field("host_nanos", time.host)
    json.key("blocked_nanos")
    json.beginObject()
    json.field("queue", time.blocked.queue)
    json.field("backend", time.blocked.backend)
    json.field("client", time.blocked.client)
    json.field("cache", time.blocked.cache)
    json.field("store", time.blocked.store)
    json.field("timer", time.blocked.timer)
    json.field("other", time.blocked.other)
    json.endObject()
    json.field("blocked_in_hostcalls_nanos", time.blockedInHostcalls)
    json.endObject()
  }

  private static func writeLabels(_ labels: [TraceLabel], to json: inout JSONByteWriter) {
    json.key("labels")
    json.beginArray()
    for label in labels {
      json.beginObject()
      json.field("kind", label.kind.rawValue)
      json.field("name", label.name)
      json.endObject()
    }
    json.endArray()
  }

  private static func writeSpans(_ trace: RequestTrace, to json: inout JSONByteWriter) {
    // Names are escaped once each, not once a span.
    var names: [UInt16: [UInt8]] = [:]
    json.key("spans")
    json.beginArray()
    for span in trace.spans {
      json.beginObject()
      json.key("name")
      if let name = names[span.hostcall] {
        json.value(encoded: name)
      } else {
        let name = JSONByteWriter.encoded(trace.name(of: span))
        names[span.hostcall] = name
        json.value(encoded: name)
      }
      json.field("start_nanos", span.start)
      json.field("duration_nanos", span.duration)
      if span.blocked != 0 { json.field("blocked_nanos", span.blocked) }
      json.field("rc", Int64(span.status))
      json.key("tag_slots")
      json.beginArray()
      for index in 0..<4 { json.value(Int64(span.tags[index])) }
      json.endArray()
      if span.label0 != 0 || span.label1 != 0 {
        json.key("labels")
        json.beginArray()
        json.value(Int64(span.label0))
        if span.label1 != 0 { json.value(Int64(span.label1)) }
        json.endArray()
      }
      json.endObject()
    }
    json.endArray()
  }

  private static func writeBackendCalls(_ calls: [BackendCall], to json: inout JSONByteWriter) {
    json.key("backend_calls")
    json.beginArray()
    for call in calls {
      json.beginObject()
      json.field("pending_id", Int64(call.pendingID))
      json.field("name", call.name)
      json.field("method", call.method)
      json.field("url_redacted", call.url.description)
      json.field("variant", call.variant.rawValue)
      json.field("started_nanos", call.started)
      writePhase("dns_nanos", "dns_start_nanos", call.dns, to: &json)
      writePhase("connect_nanos", "connect_start_nanos", call.connect, to: &json)
      writePhase("tls_nanos", "tls_start_nanos", call.tls, to: &json)
      json.field("request_sent_nanos", ifPresent: call.requestSentNanos)
      json.field("ttfb_nanos", ifPresent: call.ttfbNanos)
      json.field("total_nanos", call.totalNanos)
      json.field("status", call.status)
      json.field("req_header_bytes", call.requestHeaderBytes)
      json.field("req_body_bytes", call.requestBodyBytes)
      json.field("resp_header_bytes", call.responseHeaderBytes)
      json.field("resp_body_bytes", call.responseBodyBytes)
      if let reused = call.reusedConnection { json.field("reused", reused) }
      if let peer = call.peerAddress { json.field("peer", peer) }
      if let version = call.httpVersion { json.field("http_version", version.rawValue) }
      if call.isDynamic { json.field("dynamic", true) }
      if call.isCollapsed { json.field("collapsed", true) }
      json.field("outcome", call.outcome.wireName)
      if let failure = call.failure { json.field("failure", failure.rawValue) }
      json.endObject()
    }
    json.endArray()
  }

  private static func writePhase(
    _ durationKey: StaticString, _ startKey: StaticString, _ phase: BackendCall.Phase?, to json: inout JSONByteWriter
  ) {
    guard let phase else { return }
    json.field(durationKey, phase.duration)
    json.field(startKey, phase.start)
  }

  private static func writeBlocked(_ intervals: [BlockedInterval], to json: inout JSONByteWriter) {
    guard !intervals.isEmpty else { return }
    json.key("blocked")
    json.beginArray()
    for interval in intervals {
      json.beginObject()
      json.field("start_nanos", interval.start)
      json.field("duration_nanos", interval.duration)
      json.field("cause", interval.cause.name)
      if interval.inHostcall { json.field("in_hostcall", true) }
      json.endObject()
    }
    json.endArray()
  }

  /// `native_samples` is what readers of the Go fastlike's files know; `native_stacks` has the whole stacks.
  private static func writeNativeSamples(_ trace: RequestTrace, to json: inout JSONByteWriter) {
    guard !trace.nativeStacks.isEmpty else { return }
    json.key("native_samples")
    json.beginArray()
    for sample in trace.nativeStacks.samples {
      json.beginObject()
      json.field("relative_nanos", sample.relativeNanos)
      json.field("function", trace.nativeStacks.table.guestFunction(of: sample.stack))
      json.endObject()
    }
    json.endArray()
    json.key("native_stacks")
    writeStacks(trace.nativeStacks, to: &json)
  }

  private static func writeStacks(_ profile: StackProfile, to json: inout JSONByteWriter) {
    json.beginObject()
    json.key("frames")
    json.beginArray()
    for frame in profile.table.frames {
      json.beginObject()
      json.field("name", frame.name)
      if !frame.module.isEmpty { json.field("module", frame.module) }
      json.field("kind", frame.kind.rawValue)
      if frame.isInlined { json.field("inlined", true) }
      if !frame.file.isEmpty {
        json.field("file", frame.file)
        json.field("line", Int64(frame.line))
      }
      json.endObject()
    }
    json.endArray()
    json.key("nodes")
    json.beginArray()
    for node in profile.table.nodes {
      json.beginArray()
      json.value(Int64(node.frame))
      json.value(Int64(node.parent))
      json.endArray()
    }
    json.endArray()
    json.key("samples")
    json.beginArray()
    for sample in profile.samples {
      json.beginObject()
      json.field("relative_nanos", sample.relativeNanos)
      json.field("stack", Int64(sample.stack))
      if sample.weightNanos != 0 { json.field("weight_nanos", sample.weightNanos) }
      if sample.thread != 0 { json.field("thread", Int64(sample.thread)) }
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  private static func writeDeep(_ deep: DeepMetrics, to json: inout JSONByteWriter) {
    json.key("deep")
    json.beginObject()
    json.field("body_read_bytes", deep.bodyReadBytes)
    json.field("body_write_bytes", deep.bodyWriteBytes)
    json.field("cache_lookups", deep.cacheLookups)
    json.field("cache_inserts", deep.cacheInserts)
    json.field("cache_hits", deep.cacheHits)
    json.field("cache_misses", deep.cacheMisses)
    json.field("cache_stale", deep.cacheStale)
    writeHeaders("request_headers", deep.requestHeaders, to: &json)
    writeHeaders("response_headers", deep.responseHeaders, to: &json)
    if !deep.heapSamples.isEmpty {
      json.key("heap_samples")
      json.beginArray()
      for sample in deep.heapSamples {
        json.beginObject()
        json.field("relative_nanos", sample.relativeNanos)
        json.field("memory_bytes", sample.memoryBytes)
        json.endObject()
      }
      json.endArray()
    }
    if deep.heapSamplesDropped != 0 { json.field("heap_samples_dropped", deep.heapSamplesDropped) }
    if !deep.storeAccess.isEmpty {
      json.key("store_access")
      json.beginArray()
      for access in deep.storeAccess {
        json.beginObject()
        json.field("kind", access.kind.rawValue)
        json.field("name", access.name)
        json.field("count", access.count)
        json.endObject()
      }
      json.endArray()
    }
    json.endObject()
  }

  private static func writeHeaders(
    _ key: StaticString, _ headers: [HeaderSummary], to json: inout JSONByteWriter
  ) {
    guard !headers.isEmpty else { return }
    json.key(key)
    json.beginArray()
    for header in headers {
      json.beginObject()
      json.field("name", header.name)
      json.field("count", header.count)
      json.field("bytes", header.bytes)
      json.endObject()
    }
    json.endArray()
  }
}
