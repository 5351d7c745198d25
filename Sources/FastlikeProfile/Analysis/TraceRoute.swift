/// What a request asked for: method and path, without query. Requests of one route are counted together.
public struct TraceRoute: Sendable, Hashable, CustomStringConvertible {
  /// The request's method.
  public let method: String
  /// The request's path; `/` for a request without one.
  public let path: String

  public init(method: String, path: String) {
    self.method = method
    self.path = path.isEmpty ? "/" : path
  }

  /// The route of a trace.
  public init(of trace: RequestTrace) { self.init(method: trace.method, path: trace.url.path) }

  /// `GET /items`
  public var description: String { "\(method) \(path)" }
}

/// Which routes are meant: `/items`, `GET /items`, `/items/*`, or `*` for all.
public struct TraceRoutePattern: Sendable, Hashable, CustomStringConvertible {
  /// How a pattern is written, for errors.
  public static let allowed = "a path such as /items, /items/* or *, with a method before it if only that one is meant"

  /// nil for any.
  public let method: String?
  /// The path, or its beginning.
  public let path: String
  /// Whether ``path`` is only the beginning.
  public let isPrefix: Bool

  /// nil for a text that is no pattern.
  public init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 1)
    guard let last = words.last, !text.hasPrefix(" "),
      words.count == 1 || words[0] == PrintableText.method(String(words[0]))
    else { return nil }
    method = words.count == 2 ? String(words[0]) : nil
    isPrefix = last.hasSuffix("*")
    path = String(isPrefix ? last.dropLast() : last)
    guard path.hasPrefix("/") || (isPrefix && path.isEmpty), !path.contains("*"), !path.contains("?") else {
      return nil
    }
  }

  /// Exactly one route.
  public init(_ route: TraceRoute) {
    method = route.method
    path = route.path
    isPrefix = false
  }

  /// Whether a route is meant.
  public func matches(_ route: TraceRoute) -> Bool {
    if let method, method != route.method { return false }
    return isPrefix ? route.path.hasPrefix(path) : route.path == path
  }

  public var description: String { (method.map { $0 + " " } ?? "") + path + (isPrefix ? "*" : "") }
}
