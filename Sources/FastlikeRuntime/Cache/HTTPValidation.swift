/// Validators, and the requests and conditions made of them (RFC 9110 §8.8 and §13, RFC 9111 §4.3).
enum HTTPValidation {
  /// An entity tag: its opaque part with the quotes, and whether it is weak.
  struct EntityTag: Equatable {
    var text: ArraySlice<UInt8>
    var isWeak: Bool

    init(_ value: ArraySlice<UInt8>) {
      let value = WireSyntax.trimmed(value)
      isWeak = value.starts(with: "W/".utf8)
      text = isWeak ? value.dropFirst(2) : value
    }

    /// RFC 9110 §8.8.3.2.
    func matchesWeakly(_ other: EntityTag) -> Bool { text == other.text }
    func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && text == other.text }
  }

  /// Conditions and ranges, which are the client's and not for the backend when the whole response is to be stored.
  private static let conditionNames = [
    "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
  ]

  static func entityTag(of headers: HeaderList) -> EntityTag? {
    headers.firstValue(of: "etag".utf8).map { EntityTag($0) }
  }

  /// Whether a backend can be asked if a stored response is still good.
  static func canRevalidate(_ stored: ResponseHead) -> Bool {
    stored.status == 200 && (stored.headers.contains("etag") || stored.headers.contains("last-modified"))
  }

  /// The request for the backend: for the whole response, whatever part the client asked for, and conditional when there is
  /// a stored response to revalidate (RFC 9111 §4.3.1). `HEAD` becomes `GET`, because only that brings what can be stored.
  static func backendRequest(for request: RequestHead, revalidating stored: ResponseHead?) -> RequestHead {
    var head = request
    if head.method == "HEAD" { head.method = "GET" }
    for name in conditionNames where head.headers.contains(name) { head.headers.remove(name) }
    guard let stored, canRevalidate(stored) else { return head }
    if let tag = stored.headers.firstValue(of: "etag".utf8) {
      head.headers.append(name: "if-none-match".utf8, value: tag)
    }
    if let date = stored.headers.firstValue(of: "last-modified".utf8) {
      head.headers.append(name: "if-modified-since".utf8, value: date)
    }
    return head
  }

  /// Whether a 304 is about the stored response (RFC 9111 §4.3.4): a strong tag has to match strongly, a weak one weakly, a
  /// date has to be the same; without a validator there is only one response it can be about.
  static func isFreshened(_ stored: HeaderList, by response: HeaderList) -> Bool {
    if let tag = entityTag(of: response) {
      guard let own = entityTag(of: stored) else { return false }
      return tag.isWeak ? tag.matchesWeakly(own) : tag.matchesStrongly(own)
    }
    if let date = response.firstValue(of: "last-modified".utf8) {
      return stored.firstValue(of: "last-modified".utf8).map { $0.elementsEqual(date) } ?? true
    }
    return true
  }

  /// Whether the client has the stored response already, as `If-None-Match` or else `If-Modified-Since` tells (RFC 9111
  /// §4.3.2). `If-Match` and `If-Unmodified-Since` are for origins only.
  static func isKnown(_ stored: ResponseHead, to request: RequestHead, now: Int64) -> Bool {
    guard HTTPCacheability.isCacheable(method: request.method), stored.status == 200 else { return false }
    if request.headers.contains("if-none-match") {
      let tags = tagMembers(of: request.headers)
      if tags.contains(where: { $0.elementsEqual("*".utf8) }) { return true }
      guard let own = entityTag(of: stored.headers) else { return false }
      return tags.contains { EntityTag($0).matchesWeakly(own) }
    }
    guard let since = request.headers.firstValue(of: "if-modified-since".utf8),
      let limit = HTTPDate.seconds(WireSyntax.trimmed(since), now: now),
      let changed = stored.headers.firstValue(of: "last-modified".utf8)
        ?? stored.headers.firstValue(of: "date".utf8),
      let instant = HTTPDate.seconds(WireSyntax.trimmed(changed), now: now)
    else { return false }
    return instant <= limit
  }

  /// The members of `If-None-Match`; a comma may stand in a tag.
  private static func tagMembers(of headers: HeaderList) -> [ArraySlice<UInt8>] {
    headers.indices(of: "if-none-match".utf8).flatMap { index in
      var isQuoted = false
      return headers.value(at: index).split { byte in
        if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
        return byte == UInt8(ascii: ",") && !isQuoted
      }.map(WireSyntax.trimmed).filter { !$0.isEmpty }
    }
  }

  /// Whether a range may be served although the client has a part already: `If-Range` is not there, or names exactly the
  /// stored response (RFC 9110 §13.1.5).
  static func permitsRange(_ stored: HeaderList, to request: HeaderList, now: Int64) -> Bool {
    guard let condition = request.firstValue(of: "if-range".utf8).map(WireSyntax.trimmed) else { return true }
    if condition.first == UInt8(ascii: "\"") || condition.starts(with: "W/".utf8) {
      return entityTag(of: stored)?.matchesStrongly(EntityTag(condition)) ?? false
    }
    guard let changed = stored.firstValue(of: "last-modified".utf8).map(WireSyntax.trimmed),
      changed.elementsEqual(condition), let instant = HTTPDate.seconds(changed, now: now),
      let date = stored.firstValue(of: "date".utf8).flatMap({ HTTPDate.seconds($0, now: now) })
    else { return false }
    // A date that the response could have shared with an older one is weak (RFC 9110 §8.8.2.2).
    return date > instant
  }
}
