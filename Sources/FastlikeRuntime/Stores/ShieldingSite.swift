/// A shield as the configuration describes it.
public enum ShieldingSite: Sendable, Equatable {
  /// This host is the shield.
  case local
  /// It is elsewhere, at these URLs.
  case remote(unencrypted: String, encrypted: String)
}
