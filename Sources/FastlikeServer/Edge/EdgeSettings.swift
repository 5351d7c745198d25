/// A place where the edge listens.
public enum EdgeAddress: Sendable, Equatable, CustomStringConvertible {
  /// A TCP port on an IPv4 or IPv6 address or a name; port 0 takes a free one.
  case tcp(host: String, port: Int)
  /// The same, with TLS.
  case tls(host: String, port: Int)
  /// A Unix domain socket; a socket that a former run left at the path is replaced.
  case unix(path: String)

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .tls(let host, let port): "https://\(EdgeAddress.tcp(host: host, port: port))"
    case .unix(let path): "unix:\(path)"
    }
  }

  var isSecure: Bool {
    if case .tls = self { true } else { false }
  }
}

/// How long the edge waits and how much it takes from a client.
public struct EdgeSettings: Sendable {
  /// How long a kept-alive connection may be silent between requests, and a client may pause within a request body or
  /// leave a response unread.
  public var idleTimeout: Duration = .seconds(60)
  /// How long a request head may take from its first to its last byte; afterwards the client gets a 408.
  public var headTimeout: Duration = .seconds(10)
  /// How long the edge goes on reading, and dropping, what a client sends after its last response, so that the client
  /// reads that response before it sees the connection break (RFC 9112 §9.6).
  public var lingerTimeout: Duration = .seconds(2)
  /// Open connections; a client beyond that number gets a 503.
  public var maximumConnections = 10_000
  /// Bytes of a request body that nobody reads which are taken and dropped to keep the connection usable.
  public var maximumDrainedBytes = 256 * 1024
  /// Bytes of a request body that are held for the guest before the client has to wait.
  public var bodyCapacity = 64 * 1024
  public var limits = RequestLimits()
  /// A request whose `CDN-Loop` names ``loopToken`` this often gets a 508 (RFC 8586). It is more than once, because one
  /// service on this machine may well ask another.
  public var maximumVisits = 8

  /// The member of `CDN-Loop` that marks requests from this program.
  public static let loopToken = "fastlike"

  public init() {}
}

/// The size limits of a request head; they lie above the platform's own (8 KiB target, 69 KB head), whose breach is the
/// guest's to see.
public struct RequestLimits: Sendable {
  /// Bytes of the request target; a longer one gets a 414.
  public var targetBytes = 16 * 1024
  /// Bytes of all field lines with their line ends, and again of all trailer lines; more get a 431.
  public var fieldBytes = 80 * 1024
  /// Field lines, and again trailer lines; more get a 431.
  public var fieldCount = 256

  public init() {}
}
