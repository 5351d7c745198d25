internal import Foundation

/// The spans of one request.
struct OTLPRequestSpans {
  private(set) var spans: [OTLPMessageSpan] = []
  private let trace: RequestTrace
  private let context: TraceContext
  private let format: OTLPEncoder.Format
  private let traceID: Data
  private let requestID: Data

  init(_ trace: RequestTrace, context: TraceContext, format: OTLPEncoder.Format) {
    self.trace = trace
    self.context = context
    self.format = format
    traceID = format.identifier(context.traceHigh, context.traceLow)
    requestID = format.identifier(context.spanID)
  }

  /// - Parameter hostcalls: How many hostcalls become spans.
  mutating func addAll(hostcalls: Int) {
    addRequest()
    for (index, call) in trace.backendCalls.enumerated() { add(call, at: index) }
    if hostcalls > 0 { addHostcalls(hostcalls) }
  }

  // MARK: - Parts of spans

  private func span(
    _ id: UInt64, _ name: String, _ kind: OTLPMessageSpan.SpanKind, start: Int64, nanos: Int64
  ) -> OTLPMessageSpan {
    var span = OTLPMessageSpan()
    span.traceID = traceID
    span.spanID = format.identifier(id)
    span.parentSpanID = requestID
    span.name = name
    span.kind = kind
    let start = trace.wallStartUnixNanos &+ Interval.bounded(start)
    span.startTimeUnixNano = UInt64(max(0, start))
    span.endTimeUnixNano = UInt64(max(0, start &+ min(max(0, nanos), Interval.bound)))
    // The parent is known to be of this process.
    span.flags = UInt32(context.flags) | 0x100
    return span
  }

  private static let methods: Set = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY",
  ]

  /// A method as the conventions want it: those that are not known are told apart by an attribute only.
  private static func method(_ method: String, _ attributes: inout [OTLPMessageKeyValue]) -> String {
    if methods.contains(method) {
      attributes.append(.text("http.request.method", method))
      return method
    }
    attributes.append(.text("http.request.method", "_OTHER"))
    attributes.append(.text("http.request.method_original", method))
    return "HTTP"
  }

  /// Splits `host:port` and `[address]:port`.
  static func hostAndPort(_ authority: String) -> (host: String, port: Int64?) {
    guard let colon = authority.lastIndex(of: ":"), let port = UInt16(authority[authority.index(after: colon)...])
    else {
      return (authority.trimmingCharacters(in: ["[", "]"]), nil)
    }
    let host = authority[..<colon]
    // An address of IPv6 without brackets has no port.
    guard !host.contains(":") || host.hasPrefix("[") else { return (authority, nil) }
    return (host.trimmingCharacters(in: ["[", "]"]), Int64(port))
  }

  private static func address(
    _ authority: String, _ prefix: String, defaultPort: Int64?, _ attributes: inout [OTLPMessageKeyValue]
  ) {
    guard !authority.isEmpty else { return }
    let (host, port) = hostAndPort(authority)
    attributes.append(.text(prefix + ".address", host))
    if let port = port ?? defaultPort { attributes.append(.number(prefix + ".port", port)) }
  }

  private static func protocolVersion(_ version: HTTPVersion) -> String {
    switch version {
    case .http10: "1.0"
    case .http11: "1.1"
    case .http2: "2"
    case .http3: "3"
    }
  }

  private static func defaultPort(_ scheme: String) -> Int64? {
    switch scheme {
    case "http": 80
    case "https": 443
    default: nil
    }
  }

  // MARK: - The request

  private mutating func addRequest() {
    var attributes: [OTLPMessageKeyValue] = []
    let name = Self.method(trace.method, &attributes)
    var span = span(context.spanID, name, .server, start: 0, nanos: trace.wallNanos)
    if let parent = context.parentSpanID {
      span.parentSpanID = format.identifier(parent)
      span.flags |= 0x200
    } else {
      span.parentSpanID = Data()
    }
    let scheme = trace.url.scheme.isEmpty ? "http" : trace.url.scheme
    attributes.append(.text("url.scheme", scheme))
    attributes.append(.text("url.path", trace.url.path))
    Self.address(trace.url.host, "server", defaultPort: Self.defaultPort(scheme), &attributes)
    if let version = trace.httpVersion {
      attributes.append(.text("network.protocol.version", Self.protocolVersion(version)))
    }
    if trace.status != 0 { attributes.append(.number("http.response.status_code", Int64(trace.status))) }
    if trace.responseBytes > 0 { attributes.append(.number("http.response.body.size", trace.responseBytes)) }
    if trace.isError {
      span.status.code = .error
      attributes.append(.text("error.type", trace.outcome == .normal ? "\(trace.status)" : trace.outcome.wireName))
    }
    addAccount(to: &attributes)
    span.attributes = attributes
    span.events = trace.notes.map { note in
      var event = OTLPMessageSpan.Event()
      event.timeUnixNano = span.endTimeUnixNano
      event.name = "fastlike.note"
      event.attributes = [.text("text", note.text)]
      return event
    }
    spans.append(span)
  }

  /// Which request it was, and where its time went.
  private func addAccount(to attributes: inout [OTLPMessageKeyValue]) {
    attributes.append(.number("fastlike.request", Int64(clamping: trace.id)))
    attributes.append(.text("fastlike.module", trace.moduleName.isEmpty ? trace.moduleID : trace.moduleName))
    attributes.append(.text("fastlike.outcome", trace.outcome.wireName))
    attributes.append(.number("fastlike.queue_ns", trace.time.queue))
    attributes.append(.number("fastlike.setup_ns", trace.time.setup))
    attributes.append(.number("fastlike.guest_ns", trace.time.guest))
    attributes.append(.number("fastlike.host_ns", trace.time.host))
    for cause in BlockCause.allCases where trace.time.blocked[cause] != 0 {
      attributes.append(.number("fastlike.blocked.\(cause.name)_ns", trace.time.blocked[cause]))
    }
    attributes.append(.number("fastlike.hostcalls", Int64(trace.spans.count + trace.droppedSpans)))
    for (what, count) in [
      ("spans", trace.droppedSpans), ("backend_calls", trace.droppedBackendCalls),
      ("blocked_intervals", trace.droppedBlockedIntervals), ("guest_samples", trace.droppedGuestSamples),
    ] where count > 0 { attributes.append(.number("fastlike.dropped.\(what)", Int64(count))) }
  }

  // MARK: - Backend calls and hostcalls

  private mutating func add(_ call: BackendCall, at index: Int) {
    var attributes: [OTLPMessageKeyValue] = []
    let name = Self.method(call.method, &attributes)
    var span = span(context.spanID(ofCall: index), name, .client, start: call.started, nanos: call.totalNanos)
    let url = call.absoluteURL
    let isEncrypted = url.hasPrefix("https:")
    attributes.append(.text("url.full", url))
    let authority = call.url.host.isEmpty ? call.name : call.url.host
    Self.address(authority, "server", defaultPort: isEncrypted ? 443 : 80, &attributes)
    if let peer = call.peerAddress { Self.address(peer, "network.peer", defaultPort: nil, &attributes) }
    if let version = call.httpVersion {
      attributes.append(.text("network.protocol.version", Self.protocolVersion(version)))
    }
    if call.status != 0 { attributes.append(.number("http.response.status_code", Int64(call.status))) }
    if call.requestBodyBytes > 0 { attributes.append(.number("http.request.body.size", call.requestBodyBytes)) }
    if call.responseBodyBytes > 0 { attributes.append(.number("http.response.body.size", call.responseBodyBytes)) }
    if let error = Self.error(of: call) {
      span.status.code = .error
      attributes.append(.text("error.type", error))
    }
    attributes.append(.text("fastlike.backend", call.name))
    attributes.append(.text("fastlike.backend.variant", call.variant.rawValue))
    attributes.append(.text("fastlike.backend.outcome", call.outcome.wireName))
    if call.isDynamic { attributes.append(.flag("fastlike.backend.dynamic", true)) }
    if call.isCollapsed { attributes.append(.flag("fastlike.backend.collapsed", true)) }
    if let reused = call.reusedConnection { attributes.append(.flag("fastlike.backend.connection_reused", reused)) }
    let phases = BackendPhases(of: call)
    for name in BackendPhases.Name.allCases {
      let nanos = phases.duration(of: name)
      if nanos > 0 { attributes.append(.number("fastlike.phase.\(name.rawValue)_ns", nanos)) }
    }
    span.attributes = attributes
    spans.append(span)
  }

  /// What went wrong with a call; what the guest or the client gave up did not.
  private static func error(of call: BackendCall) -> String? {
    if let failure = call.failure { return failure.rawValue }
    switch call.outcome {
    case .networkError, .syntheticFailure: return call.outcome.wireName
    default: return call.status >= 400 ? "\(call.status)" : nil
    }
  }

  private mutating func addHostcalls(_ count: Int) {
    var indices = Array(trace.spans.indices)
    if indices.count > count {
      indices.sort { trace.spans[$0].duration > trace.spans[$1].duration }
      indices.removeSubrange(count...)
      indices.sort()
    }
    for index in indices {
      let hostcall = trace.spans[index]
      var span = span(
        context.spanID(ofHostcall: index), trace.name(of: hostcall), .internal, start: hostcall.start,
        nanos: hostcall.duration)
      var attributes: [OTLPMessageKeyValue] = [.number("fastlike.status", Int64(hostcall.status))]
      if hostcall.blocked > 0 { attributes.append(.number("fastlike.blocked_ns", hostcall.blocked)) }
      for label in trace.labels(of: hostcall) {
        attributes.append(.text("fastlike.\(label.kind.rawValue.replacingOccurrences(of: "-", with: "_"))", label.name))
      }
      // Keys of a span are different ones.
      var seen: Set<String> = []
      span.attributes = attributes.filter { seen.insert($0.key).inserted }
      spans.append(span)
    }
  }
}
