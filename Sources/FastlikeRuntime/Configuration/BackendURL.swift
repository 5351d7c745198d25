import Foundation

/// The parts of a backend's URL that matter.
struct BackendURL: Equatable {
  /// Why a text is not a backend's URL; it repeats nothing of it, as it may hold a password.
  struct Malformed: Error, Equatable {
    var problem: String
  }

  var usesTLS: Bool
  /// Without brackets.
  var host: String
  var port: UInt16
  /// "" or "/…" without a trailing slash.
  var pathPrefix: String

  /// Reads `http://host:port/path`, `https://[2001:db8::1]`, and with `requiresScheme` off also `host:port`, which is
  /// plain HTTP. `ws` and `wss` are read as `http` and `https`. Throws ``Malformed``.
  init(_ text: String, requiresScheme: Bool) throws {
    var rest = Substring(text)
    usesTLS = false
    if let separator = text.range(of: "://") {
      switch text[..<separator.lowerBound].lowercased() {
      case "http", "ws": break
      case "https", "wss": usesTLS = true
      default: throw Malformed(problem: "must begin with http:// or https://")
      }
      rest = text[separator.upperBound...]
    } else if requiresScheme {
      throw Malformed(problem: "must begin with http:// or https://")
    }
    guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else {
      throw Malformed(problem: "must end with its path, without query and fragment")
    }
    let authority = rest.prefix { $0 != "/" }
    let path = rest[authority.endIndex...]
    guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Malformed(problem: "has a path with characters that must be percent-encoded")
    }
    pathPrefix = String(path.dropLast(path.reversed().prefix { $0 == "/" }.count))
    guard !authority.contains("@") else { throw Malformed(problem: "must not hold a user name or password") }
    let (host, portText) = try Self.hostAndPort(authority)
    self.host = host
    guard let portText else {
      port = usesTLS ? 443 : 80
      return
    }
    guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(portText), port > 0 else {
      throw Malformed(problem: "has a port that is not a number from 1 to 65535")
    }
    self.port = port
  }

  private static func hostAndPort(_ authority: Substring) throws -> (host: String, port: Substring?) {
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw Malformed(problem: "has a [ without ]") }
      let host = String(authority[authority.index(after: authority.startIndex)..<end])
      let rest = authority[authority.index(after: end)...]
      guard IPAddress(host)?.octets.count == 16, rest.isEmpty || rest.first == ":" else {
        throw Malformed(problem: "must have an IPv6 address in its brackets, as in [::1]:8080")
      }
      return (host, rest.isEmpty ? nil : rest.dropFirst())
    }
    if IPAddress(String(authority))?.octets.count == 16 { return (String(authority), nil) }
    let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let host = parts.first, !host.isEmpty else { throw Malformed(problem: "has no host") }
    guard host.utf8.allSatisfy(isNameByte) else {
      throw Malformed(problem: "has a host with other characters than letters, digits, - . and _")
    }
    return (String(host), parts.count > 1 ? parts[1] : nil)
  }
}

/// Whether a text may be the value of a header field: not blank, and without control characters.
func isHeaderValue(_ text: String) -> Bool {
  text.contains { !$0.isWhitespace } && text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
}
