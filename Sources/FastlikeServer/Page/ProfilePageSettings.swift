public import FastlikeProfile

/// Where the profile page listens, and who may see it.
public struct ProfilePageSettings: Sendable, Hashable {
  /// A name or an IP address; empty for every address of this machine.
  public var host: String
  /// 0 lets the system choose.
  public var port: Int
  /// The bearer token that every request must have; empty for none.
  public var token: String
  /// Whether the page may be reached from other machines without a token.
  public var isInsecure: Bool
  /// Whether the pages of stores show values, and let keys be deleted and cached objects be purged. Only on loopback.
  public var showsValues: Bool

  public init(
    host: String = "127.0.0.1", port: Int = 0, token: String = "", isInsecure: Bool = false, showsValues: Bool = false
  ) {
    self.showsValues = showsValues && ProfilePageAuthorization.isLoopback(host.contains(":") ? "[\(host)]" : host)
    self.host = host
    self.port = port
    self.token = token
    self.isInsecure = isInsecure
  }

  /// Host and port as they are written in a flag.
  public var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Checks that the page does not stand open to other machines by mistake. To be called before anything listens.
  /// - Throws: `ProfilePageAuthorizationError` for an address beyond loopback with neither a token nor the flag.
  public func validate() throws(ProfilePageAuthorizationError) {
    try ProfilePageAuthorization.validate(address: address, token: token, insecure: isInsecure)
  }
}
