import ComputeABI

/// Which requests and responses may be stored (RFC 9111 §3, and the platform's rules).
enum HTTPCacheability {
  /// Whether responses to the method may be stored and reused without anybody's saying so.
  static func isCacheable(method: String) -> Bool { method == "GET" || method == "HEAD" }

  /// The statuses whose responses the platform stores. Others are not stored, whatever their fields say.
  static let statuses: Set<UInt16> = [200, 203, 300, 301, 302, 404, 410]

  /// What is to be done with a response that is no answer to a revalidation.
  ///
  /// What lies in the nature of the resource is `recordUncacheable`, so that later requests do not wait for each other in
  /// vain: `no-store`, cookies, `Vary: *`. What lies in this one exchange is `doNotStore`: the status, credentials, a
  /// response for one user. An explicit lifetime in `Surrogate-Control` is meant for this cache and outweighs
  /// `no-store` and `private`, which are for those behind it.
  static func storageAction(for response: ResponseHead, to request: RequestHead) -> HTTPStorageAction {
    let headers = response.headers
    guard isCacheable(method: request.method), statuses.contains(response.status) else { return .doNotStore }
    let control = HTTPCacheDirectives("cache-control", in: headers)
    let surrogate = HTTPCacheDirectives("surrogate-control", in: headers)
    let isMeantForUs = surrogate.contains("max-age")
    if surrogate.contains("no-store") { return .recordUncacheable }
    if !isMeantForUs {
      if control.containsUnqualified("private") { return .doNotStore }
      if control.contains("no-store") { return .recordUncacheable }
    }
    if headers.contains("set-cookie") || HTTPVary(of: headers) == .everything { return .recordUncacheable }
    if request.headers.contains("authorization"), !isMeantForUs, !permitsCredentials(control) { return .doNotStore }
    return .insert
  }

  /// Whether a response to a request with `Authorization` may be used for others (RFC 9111 §3.5).
  private static func permitsCredentials(_ control: HTTPCacheDirectives) -> Bool {
    ["public", "s-maxage", "must-revalidate"].contains { control.contains($0) }
  }

  /// Whether a response tells that the origin is out of order, so that a stale one may be used (RFC 5861 §4).
  static func isError(status: UInt16) -> Bool { [500, 502, 503, 504].contains(status) }
}

/// What a `Vary` field says (RFC 9110 §12.5.5, RFC 9111 §4.1).
enum HTTPVary: Equatable {
  /// Something besides the request: no stored response suits another request.
  case everything
  /// These request fields, in lower case, as they were listed; none is the absence of the field.
  case fields([String])

  init(of headers: HeaderList) {
    let members = headers.members(of: "vary")
    guard !members.contains(where: { $0.elementsEqual("*".utf8) }) else {
      self = .everything
      return
    }
    var names: [String] = []
    for member in members {
      let name = String(decoding: member, as: UTF8.self).lowercased()
      if WireSyntax.isToken(member), !names.contains(name) { names.append(name) }
    }
    self = .fields(names)
  }

  /// The rule as the ABI writes it: names separated by spaces.
  var ruleText: String { if case .fields(let names) = self { names.joined(separator: " ") } else { "" } }
}
