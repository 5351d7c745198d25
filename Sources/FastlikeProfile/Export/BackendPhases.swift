/// A backend call cut into phases that follow each other without gap or overlap. What was measured is clipped to the
/// call and put in order, since the parts of a connection's establishment may have raced.
package struct BackendPhases {
  /// The phases in their order.
  package enum Name: String, CaseIterable {
    /// Without a connection that is ready: waiting for one, or for its next phase, or until there was none to be had.
    case queue
    case dns
    /// TCP alone.
    case connect
    case tls
    /// Writing the request.
    case send
    /// From the request's last byte to the response's first one.
    case wait
    /// From the response's first byte to its last one.
    case receive
  }

  /// From the send to the response's last byte or the failure.
  let interval: Interval
  let dns: Interval?
  let connect: Interval?
  let tls: Interval?
  /// Writing the request begins; the call's end when it never did.
  let sendStart: Int64
  /// The request is out; the same as ``sendStart`` when that was not observed, the call's end when it never was.
  let sendEnd: Int64
  /// The response begins; nil without one.
  let firstByte: Int64?

  package init(of call: BackendCall) {
    let interval = Interval(start: call.started, duration: call.totalNanos)
    var cursor = interval.start
    func place(_ phase: BackendCall.Phase?) -> Interval? {
      guard let phase else { return nil }
      let placed = Interval(start: phase.start, duration: phase.duration)
        .clipped(to: Interval(start: cursor, end: interval.end))
      cursor = placed.end
      return placed
    }
    dns = place(call.dns)
    connect = place(call.connect)
    tls = place(call.tls)
    self.interval = interval
    let start = cursor
    let first = call.firstByte.map { min(max($0, start), interval.end) }
    firstByte = first
    if call.endedUnsent {
      sendStart = call.hadConnection ? start : interval.end
      sendEnd = interval.end
    } else {
      sendStart = start
      sendEnd = call.requestSent.map { min(max($0, start), first ?? interval.end) } ?? start
    }
  }

  /// Whether writing the request began, as far as the phases tell.
  var isRequestBegun: Bool { sendStart < interval.end || firstByte != nil }

  /// The phases that took time. Together they are ``interval``.
  package var segments: [(name: Name, interval: Interval)] {
    var segments: [(name: Name, interval: Interval)] = []
    var cursor = interval.start
    func add(_ name: Name, until end: Int64) {
      if end > cursor { segments.append((name, Interval(start: cursor, end: end))) }
      cursor = max(cursor, end)
    }
    for (name, phase) in [(Name.dns, dns), (.connect, connect), (.tls, tls)] {
      guard let phase else { continue }
      add(.queue, until: phase.start)
      add(name, until: phase.end)
    }
    add(.queue, until: sendStart)
    add(.send, until: sendEnd)
    add(.wait, until: firstByte ?? interval.end)
    add(.receive, until: interval.end)
    return segments
  }

  /// Nanoseconds in a phase.
  func duration(of name: Name) -> Int64 {
    segments.reduce(0) { $0 + ($1.name == name ? $1.interval.duration : 0) }
  }
}

extension BackendCall {
  /// An absolute URL: viewers parse it. A part that was not recorded is filled in from what is known of the call.
  var absoluteURL: String {
    if !url.scheme.isEmpty, !url.host.isEmpty { return url.description }
    let isEncrypted = tls != nil || httpVersion == .http2 || httpVersion == .http3
    let scheme = url.scheme.isEmpty ? (isEncrypted ? "https" : "http") : url.scheme
    let host = url.host.isEmpty ? Self.hostLike(name) : url.host
    return "\(scheme)://\(host)\(url.path.hasPrefix("/") ? url.path : "/")"
  }

  /// Whether it ended before its request was out, so that it never waited for a response. A call that took another
  /// one's answer, and a connection that was handed over, have no request of their own.
  fileprivate var endedUnsent: Bool {
    requestSent == nil && firstByte == nil && !isCollapsed && variant != .handoff
  }

  /// Whether its connection was ready for the request, as far as the phases tell.
  fileprivate var hadConnection: Bool {
    reusedConnection == true || tls != nil || (connect != nil && url.scheme == "http")
  }

  /// Outcome, and why if it failed.
  var outcomeText: String { failure.map { "\(outcome.wireName): \($0.rawValue)" } ?? outcome.wireName }

  private static func hostLike(_ name: String) -> String {
    let bytes = name.utf8.map { byte in
      let isPlain =
        byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber)
      return isPlain || byte == UInt8(ascii: ".") ? byte : UInt8(ascii: "-")
    }
    return bytes.isEmpty ? "backend" : String(decoding: bytes, as: UTF8.self)
  }
}
