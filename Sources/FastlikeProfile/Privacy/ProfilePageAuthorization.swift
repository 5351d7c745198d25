internal import Crypto
internal import Foundation

/// Why a page must not listen as it was told to. The text names the flags that would make it right.
public struct ProfilePageAuthorizationError: Error, Equatable, CustomStringConvertible {
  /// The address that was given.
  public let address: String

  public var description: String {
    "-profile-ui \(address): this address can be reached from other machines; add -profile-auth TOKEN, or "
      + "-profile-insecure-ui when something in front of it checks access, or listen on localhost"
  }
}

/// Decides who may see the page: pure, so a server asks it for every request before it does anything else.
public struct ProfilePageAuthorization: Sendable {
  /// Keyed digest of the token; the token itself is not kept, and comparing digests takes the same time whatever
  /// the length of the right one.
  private let expected: Data?
  private let key: SymmetricKey
  private let boundHost: String

  /// - Parameters:
  ///   - token: The bearer token; empty when none is asked for.
  ///   - address: Where the page listens.
  public init(token: String, address: String) {
    key = SymmetricKey(size: .bits256)
    expected = token.isEmpty ? nil : Self.digest(of: token, key: key)
    boundHost = Self.host(of: address).lowercased()
  }

  /// Whether a bearer token is asked for.
  public var requiresToken: Bool { expected != nil }

  /// Whether the value of a request's `Authorization` header opens the page. Every one does when no token is asked for.
  ///
  /// Source of the rule: RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
  public func allows(authorization: String?) -> Bool {
    guard let expected else { return true }
    guard let authorization else { return false }
    let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return false }
    let given = parts[1].drop { $0 == " " }
    return HMAC<SHA256>.isValidAuthenticationCode(expected, authenticating: Data(given.utf8), using: key)
  }

  /// Whether the value of a request's `Host` header is one under which this page is meant to be opened. It keeps a
  /// foreign site from reading an open page by pointing its own name at this machine; with a token no name matters.
  public func allows(host: String?) -> Bool {
    if requiresToken { return true }
    guard let host else { return false }
    if Self.isLoopback(host) { return true }
    let isLoopbackPage = Self.isLoopbackHost(boundHost)
    return !isLoopbackPage || Self.host(of: host).lowercased() == boundHost
  }

  /// Whether only this machine can reach a listener on an address: `localhost`, 127.0.0.0/8 or `::1`, with or without
  /// port. Names are not resolved, so that the answer cannot differ from what is listened on; all others, and
  /// wildcards, are not loopback.
  public static func isLoopback(_ address: String) -> Bool { isLoopbackHost(host(of: address)) }

  /// Checks that a page on this address does not stand open to other machines by mistake.
  /// - Throws: ``ProfilePageAuthorizationError`` for an address beyond loopback with neither a token nor the flag.
  public static func validate(
    address: String, token: String, insecure: Bool
  ) throws(ProfilePageAuthorizationError) {
    if isLoopback(address) || !token.isEmpty || insecure { return }
    throw ProfilePageAuthorizationError(address: PrintableText.bounded(address, to: 128))
  }

  private static func digest(of token: String, key: SymmetricKey) -> Data {
    Data(HMAC<SHA256>.authenticationCode(for: Data(token.utf8), using: key))
  }

  private static func isLoopbackHost(_ host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
    var six = in6_addr()
    guard inet_pton(AF_INET6, host, &six) == 1 else { return false }
    return withUnsafeBytes(of: &six) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
  }

  /// The part of `host`, `host:port`, `[v6]:port` or `v6` that names the host; empty for `:port`.
  private static func host(of address: String) -> String {
    if address.hasPrefix("[") {
      guard let end = address.firstIndex(of: "]") else { return "" }
      let rest = address[address.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return "" }
      return String(address[address.index(after: address.startIndex)..<end])
    }
    let colons = address.count { $0 == ":" }
    guard colons == 1, let colon = address.firstIndex(of: ":") else { return address }
    return String(address[..<colon])
  }
}
