/// Writes the backend calls as a HAR 1.2 archive: one page for each request, one entry for each call. Header values,
/// query strings and bodies are not in a trace, so those lists are empty.
public enum HAREncoder {
  /// One trace.
  public static func encode(_ trace: RequestTrace) -> [UInt8] { encode([trace]) }

  /// Many traces, each with a page of its own.
  public static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    let batch = ExportBatch(traces)
    var json = JSONByteWriter(reserving: 4096 + traces.reduce(0) { $0 + $1.backendCalls.count * 1024 })
    json.beginObject()
    json.key("log")
    json.beginObject()
    json.field("version", "1.2")
    json.key("creator")
    json.beginObject()
    json.field("name", "fastlike")
    json.field("version", "1")
    json.endObject()
    json.array("pages", of: batch.traces) { writePage($1, to: &$0) }
    json.key("entries")
    json.beginArray()
    for exported in batch.traces {
      for (call, phases) in zip(exported.trace.backendCalls, exported.calls) {
        writeEntry(call, phases, of: exported, to: &json)
      }
    }
    json.endArray()
    json.endObject()
    json.endObject()
    return json.bytes
  }

  private static func pageID(of exported: ExportedTrace) -> String { "page_\(exported.number)" }

  /// ISO 8601 with milliseconds.
  private static func timestamp(_ exported: ExportedTrace, at instant: Int64) -> String {
    let (sum, overflow) = exported.trace.wallStartUnixNanos.addingReportingOverflow(instant)
    let full = NativeJSONTimestamp.format(unixNanos: overflow ? exported.trace.wallStartUnixNanos : sum)
    // Six of the nine digits behind the seconds, and the Z, go.
    return String(full.dropLast(7)) + "Z"
  }

  private static func writePage(_ exported: ExportedTrace, to json: inout JSONByteWriter) {
    json.beginObject()
    json.field("startedDateTime", timestamp(exported, at: 0))
    json.field("id", pageID(of: exported))
    json.field("title", exported.heading)
    json.field("pageTimings", literal: #"{"onContentLoad":-1,"onLoad":-1}"#)
    json.field("_requestID", String(exported.trace.id))
    json.field("_outcome", exported.trace.outcome.wireName)
    if exported.trace.droppedBackendCalls > 0 {
      json.field("comment", "backend calls beyond the cap: \(exported.trace.droppedBackendCalls)")
    }
    json.endObject()
  }

  private static func writeEntry(
    _ call: BackendCall, _ phases: BackendPhases, of exported: ExportedTrace, to json: inout JSONByteWriter
  ) {
    let version = httpVersion(call.httpVersion)
    json.beginObject()
    json.field("pageref", pageID(of: exported))
    json.field("startedDateTime", timestamp(exported, at: phases.interval.start))
    json.field("time", milliseconds: phases.interval.duration)
    json.key("request")
    json.beginObject()
    json.field("method", call.method)
    json.field("url", call.absoluteURL)
    json.field("httpVersion", version)
    json.field("cookies", literal: "[]")
    json.field("headers", literal: "[]")
    json.field("queryString", literal: "[]")
    // A head has at least a few bytes; none means that they were not counted.
    json.field("headersSize", call.requestHeaderBytes > 0 ? call.requestHeaderBytes : -1)
    json.field("bodySize", max(0, call.requestBodyBytes))
    json.endObject()
    json.key("response")
    json.beginObject()
    json.field("status", call.status)
    json.field("statusText", "")
    json.field("httpVersion", version)
    json.field("cookies", literal: "[]")
    json.field("headers", literal: "[]")
    json.key("content")
    json.beginObject()
    json.field("size", max(0, call.responseBodyBytes))
    json.field("mimeType", "x-unknown")
    json.endObject()
    json.field("redirectURL", "")
    json.field("headersSize", call.responseHeaderBytes > 0 ? call.responseHeaderBytes : -1)
    json.field("bodySize", call.status > 0 ? max(0, call.responseBodyBytes) : -1)
    json.endObject()
    json.field("cache", literal: "{}")
    writeTimings(phases, to: &json)
    if let peer = call.peerAddress { json.field("serverIPAddress", address(ofPeer: peer)) }
    writeOwnFields(call, to: &json)
    json.endObject()
  }

  /// `connect` contains `ssl`; the others add up to the entry's time.
  private static func writeTimings(_ phases: BackendPhases, to json: inout JSONByteWriter) {
    let connects = [phases.connect, phases.tls].compactMap { $0 }
    func writeOptional(_ name: StaticString, _ nanos: Int64?) {
      if let nanos { json.field(name, milliseconds: nanos) } else { json.field(name, -1) }
    }
    // Between the end of TCP's handshake and the start of TLS's may be a gap: it is part of connecting, not of
    // queueing.
    let connect = connects.first.flatMap { first in connects.last.map { $0.end - first.start } }
    let setUp = phases.sendStart - phases.interval.start
    let blocked = setUp - (phases.dns?.duration ?? 0) - (connect ?? 0)
    let isNew = phases.dns != nil || connect != nil || blocked > 0
    json.key("timings")
    json.beginObject()
    writeOptional("blocked", isNew ? blocked : nil)
    writeOptional("dns", phases.dns?.duration)
    writeOptional("connect", connect)
    writeOptional("ssl", phases.tls?.duration)
    json.field("send", milliseconds: phases.sendEnd - phases.sendStart)
    json.field("wait", milliseconds: (phases.firstByte ?? phases.interval.end) - phases.sendEnd)
    json.field("receive", milliseconds: phases.firstByte.map { phases.interval.end - $0 } ?? 0)
    json.endObject()
  }

  /// Names that begin with an underscore are free for anyone to use.
  private static func writeOwnFields(_ call: BackendCall, to json: inout JSONByteWriter) {
    json.field("_backend", call.name)
    json.field("_variant", call.variant.rawValue)
    json.field("_outcome", call.outcome.wireName)
    // Viewers show a call with `_error` as failed.
    if call.status == 0 || call.failure != nil { json.field("_error", call.outcomeText) }
    if let reused = call.reusedConnection { json.field("_connectionReused", reused) }
    if call.isDynamic { json.field("_dynamicBackend", true) }
    if call.isCollapsed { json.field("_collapsed", true) }
  }

  private static func httpVersion(_ version: HTTPVersion?) -> String {
    switch version {
    case .http10: "HTTP/1.0"
    case .http11: "HTTP/1.1"
    case .http2: "HTTP/2"
    case .http3: "HTTP/3"
    case nil: "unknown"
    }
  }

  /// Without the port, and without the brackets of IPv6.
  private static func address(ofPeer peer: String) -> String {
    if peer.hasPrefix("["), let end = peer.firstIndex(of: "]") {
      return String(peer[peer.index(after: peer.startIndex)..<end])
    }
    let colons = peer.utf8.count { $0 == UInt8(ascii: ":") }
    guard colons == 1, let colon = peer.firstIndex(of: ":") else { return peer }
    return String(peer[..<colon])
  }
}
