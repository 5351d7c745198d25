import FastlikeProfile

/// How a distributed trace goes through this host (W3C Trace Context).
///
/// It does so only where traces are pushed to a receiver: without one, the spans that backends would name as their parents
/// are nowhere, and headers go through as the guest sends them.
enum TracePropagation {
  /// The place of a request: below its client's span where it names one, else at the beginning of a trace.
  static func context(of headers: HeaderList, sampler: TraceContextSampler) -> TraceContext {
    var context = parent(in: headers) ?? .root()
    sampler.decide(&context)
    return context
  }

  /// W3C Trace Context §3.2: more than one `traceparent` is as good as none.
  private static func parent(in headers: HeaderList) -> TraceContext? {
    let fields = headers.indices(of: "traceparent".utf8)
    guard fields.count == 1 else { return nil }
    return TraceContext(traceparent: WireSyntax.trimmed(headers.value(at: fields[0])))
  }

  /// Has a backend's request name its span here as the parent.
  ///
  /// A `traceparent` of the guest's own stays: it traces by itself. One that it only passed on from its client is replaced,
  /// because the backend's parent is the call and not the client. The client's `tracestate` goes with it, unless the guest
  /// sends one.
  /// - Parameters:
  ///   - own: The `traceparent` of the call.
  ///   - client: The headers of the client's request.
  ///   - headers: The headers that go to the backend.
  static func carry(_ own: String, from client: HeaderList, to headers: inout HeaderList) {
    if let sent = headers.firstValue(of: "traceparent".utf8) {
      guard let passedOn = client.firstValue(of: "traceparent".utf8), passedOn.elementsEqual(sent) else { return }
    }
    headers.set("traceparent", own)
    guard !headers.contains("tracestate") else { return }
    for index in client.indices(of: "tracestate".utf8) {
      headers.append(name: "tracestate".utf8, value: client.value(at: index))
    }
  }
}
