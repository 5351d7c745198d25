import ComputeABI

/// The head of a response in the cache.
struct HTTPStoredResponse: Sendable {
  var head: ResponseHead
  /// The vary rule in the words of whoever stored the response.
  var varyText: String

  var byteCount: Int { head.headers.byteCount + varyText.utf8.count + 32 }

  // MARK: Storing

  /// Fields about one connection, which are not stored (RFC 9111 §3.1).
  private static let connectionNames = [
    "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "proxy-authenticate",
    "proxy-authentication-info", "proxy-authorization",
  ]

  /// The head as it is stored: without what is about the connection, and without the fields that `no-cache="…"` and
  /// `private="…"` name.
  static func prepared(_ head: ResponseHead) -> ResponseHead {
    var head = head
    for listed in head.headers.members(of: "connection") { head.headers.remove(name: listed) }
    for name in connectionNames where head.headers.contains(name) { head.headers.remove(name) }
    let control = HTTPCacheDirectives("cache-control", in: head.headers)
    for name in control.fieldNames(of: "no-cache") + control.fieldNames(of: "private") { head.headers.remove(name) }
    return head
  }

  /// The stored head with the fields of a 304 (RFC 9111 §3.2): these replace those of the same name, except
  /// `Content-Length`, which is about a body that did not come.
  static func freshened(_ stored: ResponseHead, by response: ResponseHead) -> ResponseHead {
    let update = prepared(response)
    var head = stored
    // It is as old as the new response says, or not at all.
    head.headers.remove("age")
    for index in update.headers.distinctNameIndices() {
      let name = update.headers.name(at: index)
      guard !WireSyntax.equalIgnoringCase(name, "content-length".utf8) else { continue }
      head.headers.remove(name: name)
      for same in update.headers.indices(of: name) {
        head.headers.append(name: name, value: update.headers.value(at: same))
      }
    }
    return head
  }

  // MARK: Using

  /// What a client gets of a stored response.
  enum Selection: Equatable {
    case whole
    case part(first: Int, last: Int)
    case nothing
  }

  /// The response for a request: the whole one; 304 for a client that has it; 206 for a part of it; 416 for what is none.
  ///
  /// - Parameters:
  ///   - age: In seconds, for the `Age` field (RFC 9111 §5.1).
  ///   - length: Of the stored body, nil while it is not known. No part is cut from such a body.
  ///   - adjusted: Whether conditions and ranges of the request count.
  ///   - now: Seconds since 1970.
  func response(to request: RequestHead, age: Int64, length: Int?, adjusted: Bool, now: Int64)
    -> (head: ResponseHead, selection: Selection)
  {
    var head = head
    head.headers.set("age", String(age))
    guard adjusted else { return (head, .whole) }
    if HTTPValidation.isKnown(head, to: request, now: now) { return (HTTPStoredResponse.notModified(head), .nothing) }
    if request.method == "HEAD" { return (head, .nothing) }
    guard head.status == 200, let length, let range = request.headers.firstValue(of: "range".utf8),
      HTTPValidation.permitsRange(head.headers, to: request.headers, now: now)
    else { return (head, .whole) }
    switch HTTPRange(range, length: length) {
    case .whole: return (head, .whole)
    case .part(let first, let last):
      head.status = 206
      head.headers.set("content-range", "bytes \(first)-\(last)/\(length)")
      head.headers.set("content-length", String(last - first + 1))
      return (head, .part(first: first, last: last))
    case .unsatisfiable:
      head.status = 416
      head.headers.set("content-range", "bytes */\(length)")
      head.headers.set("content-length", "0")
      return (head, .nothing)
    }
  }

  /// A 304 has what a cache on the way needs to know, and no more about a body than its tag (RFC 9110 §15.4.5).
  private static func notModified(_ head: ResponseHead) -> ResponseHead {
    var head = head
    head.status = 304
    for name in ["content-length", "content-type", "content-encoding", "content-language", "content-range"] {
      head.headers.remove(name)
    }
    if head.headers.contains("etag") { head.headers.remove("last-modified") }
    return head
  }
}
