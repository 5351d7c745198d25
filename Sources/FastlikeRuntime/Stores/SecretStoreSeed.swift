/// The secrets of one store by name. Its description tells how many, never which.
public struct SecretStoreSeed: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
  public var secrets: [String: [UInt8]]

  public init(secrets: [String: [UInt8]] = [:]) { self.secrets = secrets }

  /// What every error about a store's or a secret's name says.
  static let nameRule = "a name has 1 to 255 of the characters A-Z a-z 0-9 _ . -"

  /// Whether a store or a secret may have this name.
  public static func isValid(name: String) -> Bool {
    (1...255).contains(name.utf8.count) && name.utf8.allSatisfy(isNameByte)
  }

  public var description: String { "\(secrets.count) secrets" }

  /// Keeps secrets out of dumps.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
