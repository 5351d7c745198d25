import ComputeABI

/// What a guest's request looks like on the way to a backend.
public enum BackendTarget {
  /// Makes the head that goes on the wire from the guest's request.
  ///
  /// - The target is in origin form: the backend's path prefix and the guest's path joined by exactly one `/`, then the
  ///   query. A fragment is dropped.
  /// - `Host` is the backend's ``BackendDefinition/overrideHost``, else the guest's own field, else the authority of the
  ///   guest's URI, else the backend's address; it becomes the first field (RFC 9110 §7.2).
  /// - `cdn-loop: fastlike` is added to what the guest has there (RFC 8586).
  ///
  /// - Throws: ``SendError/Tag/httpRequestURIInvalid`` for a URI or host that cannot be sent.
  public static func wireHead(for head: RequestHead, to backend: BackendDefinition) throws(SendError) -> RequestHead {
    let uri = try parse(head.uri)
    var wire = head
    wire.version = .http11
    wire.uri = target(of: uri, prefix: backend.pathPrefix)
    wire.headers = headers(from: head.headers, host: try host(for: head, uri: uri, backend: backend))
    return wire
  }

  /// The token that this host adds to `cdn-loop`.
  public static let loopToken = "fastlike"

  private struct ParsedURI {
    var authority: Substring?
    /// Begins with "/", or is "*".
    var path: Substring
    /// With its "?", or empty.
    var query: Substring
  }

  /// Whether the text is a URI that a request may have: absolute, an absolute path, or `*`.
  static func isValid(_ uri: String) -> Bool { (try? parse(uri)) != nil }

  private static func parse(_ text: String) throws(SendError) -> ParsedURI {
    guard !text.isEmpty, text.utf8.allSatisfy(WireSyntax.isTargetByte) else { throw SendError(.httpRequestURIInvalid) }
    let uri = text.prefix { $0 != "#" }
    if uri == "*" { return ParsedURI(authority: nil, path: "*", query: "") }
    var authority: Substring?
    var rest = uri
    if !uri.hasPrefix("/") {
      guard let colon = uri.firstIndex(of: ":"), uri[colon...].hasPrefix("://"), isScheme(uri[..<colon]) else {
        throw SendError(.httpRequestURIInvalid)
      }
      let start = uri.index(colon, offsetBy: 3)
      let found = uri[start...].prefix { $0 != "/" && $0 != "?" }
      rest = uri[found.endIndex...]
      let hostStart = found.lastIndex(of: "@").map { found.index(after: $0) } ?? found.startIndex
      authority = found[hostStart...]
    }
    let path = rest.prefix { $0 != "?" }
    return ParsedURI(authority: authority, path: path.isEmpty ? "/" : path, query: rest[path.endIndex...])
  }

  private static func isScheme(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, (0x61...0x7A).contains(first | 0x20) else { return false }
    return text.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D
        || byte == 0x2E
    }
  }

  private static func target(of uri: ParsedURI, prefix: String) -> String {
    if uri.path == "*" { return "*" }
    var prefix = prefix[...]
    while prefix.last == "/" { prefix.removeLast() }
    return String(prefix) + uri.path + uri.query
  }

  private static func host(
    for head: RequestHead, uri: ParsedURI, backend: BackendDefinition
  ) throws(SendError) -> [UInt8] {
    let guestHost = head.headers.firstValue(of: "host".utf8).map(WireSyntax.trimmed)
    let chosen: [UInt8] =
      if let override = backend.overrideHost {
        Array(override.utf8)
      } else if let guestHost, !guestHost.isEmpty {
        Array(guestHost)
      } else if let authority = uri.authority {
        Array(authority.utf8)
      } else {
        Array(backend.authority.utf8)
      }
    guard isAuthority(chosen) else { throw SendError(.httpRequestURIInvalid) }
    return chosen
  }

  /// `host[:port]` of RFC 3986 §3.2 without user information; checked for its characters and port only.
  private static func isAuthority(_ bytes: [UInt8]) -> Bool {
    let hasHostCharacters = bytes.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      case 0x21, 0x24...0x2E, 0x3A, 0x3B, 0x3D, 0x5B, 0x5D, 0x5F, 0x7E: true
      default: false
      }
    }
    guard hasHostCharacters, let first = bytes.first, first != UInt8(ascii: ":") else { return false }
    var afterHost = bytes[...]
    if first == UInt8(ascii: "[") {
      guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
      afterHost = bytes[(bracket + 1)...]
      if afterHost.isEmpty { return true }
      guard afterHost.first == UInt8(ascii: ":") else { return false }
    }
    guard let colon = afterHost.firstIndex(of: UInt8(ascii: ":")) else { return true }
    let port = afterHost[(colon + 1)...]
    return port.isEmpty || WireSyntax.decimal(port).map { $0 <= 65535 } ?? false
  }

  private static func headers(from guest: HeaderList, host: [UInt8]) -> HeaderList {
    var result = HeaderList()
    if let index = guest.firstIndex(of: "host".utf8) {
      result.append(name: guest.name(at: index), value: host)
    } else {
      result.append(name: "host".utf8, value: host)
    }
    for index in 0..<guest.count {
      let name = guest.name(at: index)
      let isReplaced =
        WireSyntax.equalIgnoringCase(name, "host".utf8) || WireSyntax.equalIgnoringCase(name, "cdn-loop".utf8)
      if !isReplaced { result.append(name: name, value: guest.value(at: index)) }
    }
    let visited = guest.members(of: "cdn-loop") + [ArraySlice(loopToken.utf8)]
    result.append(name: "cdn-loop".utf8, value: Array(visited.joined(separator: ", ".utf8)))
    return result
  }
}

extension BackendDefinition {
  /// The backend's address as a `Host` value: the port is left out where it is the scheme's own.
  public var authority: String {
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return port == (usesTLS ? 443 : 80) ? name : "\(name):\(port)"
  }
}
