/// What a successful change makes invalid (RFC 9111 §4.4).
enum HTTPInvalidation {
  /// Methods that change nothing (RFC 9110 §9.2.1).
  private static let safeMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"]

  static func mayChange(method: String) -> Bool { !safeMethods.contains(method) }

  /// The keys of responses that must not be used any more after `response`: those of the request's URL, and of what
  /// `Location` and `Content-Location` name on the same host. None after a failure or a safe method.
  static func keys(after response: ResponseHead, to request: RequestHead) -> [HTTPCacheKey] {
    guard mayChange(method: request.method), (200..<400).contains(response.status) else { return [] }
    var keys = [HTTPCacheKey(suggestedFor: request)]
    for name in ["location", "content-location"] {
      guard let text = response.headers.first(name), let target = resolve(text, from: request) else { continue }
      let key = HTTPCacheKey(suggestedFor: target)
      if !keys.contains(key) { keys.append(key) }
    }
    return keys
  }

  /// The request for a URL reference, if it is on the host of `request`. References relative to a path are resolved too,
  /// dot segments are not.
  private static func resolve(_ reference: String, from request: RequestHead) -> RequestHead? {
    guard !reference.isEmpty else { return nil }
    let base = HTTPCacheKey.URLParts(request)
    let root = "\(base.scheme)://\(base.authority)"
    var target = request
    if reference.hasPrefix("//") {
      target.uri = "\(base.scheme):\(reference)"
    } else if reference.hasPrefix("/") {
      target.uri = root + reference
    } else if reference.contains("://") {
      target.uri = reference
    } else {
      let folder = base.path[...(base.path.lastIndex(of: "/") ?? base.path.startIndex)]
      target.uri = reference.hasPrefix("?") ? root + base.path + reference : root + folder + reference
    }
    let other = HTTPCacheKey.URLParts(target)
    return other.scheme == base.scheme && other.authority.lowercased() == base.authority.lowercased() ? target : nil
  }
}
