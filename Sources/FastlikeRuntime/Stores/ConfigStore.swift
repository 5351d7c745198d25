/// A config store, also open as a dictionary: read-only text by key, as it was when the service was loaded.
public struct ConfigStore: Sendable, Equatable {
  /// The most Unicode scalars in a key and in a value.
  public static let maximumKeyLength = 256
  public static let maximumValueLength = 8000

  /// Each key with its value.
  public private(set) var items: [String: String]
  /// The JSON file behind it, to watch for changes; nil for an inline table.
  public private(set) var file: String?

  /// A store for hosts and tests; nothing is checked.
  public init(items: [String: String] = [:], file: String? = nil) {
    self.items = items
    self.file = file
  }

  /// The value of a key; nil where there is none, also for over-long keys. An empty value is a value.
  public func value(for key: String) -> String? { items[key] }

  /// Takes the strings of a table or JSON object, within the limits.
  init(contents: ConfigurationEntry, file: String? = nil) throws {
    items = [:]
    self.file = file
    for (key, entry) in try contents.table("a table of strings").entries {
      guard key.unicodeScalars.count <= Self.maximumKeyLength else {
        throw contents.error("a key has more than \(Self.maximumKeyLength) characters: \(quoted(key))")
      }
      let value = try entry.string()
      guard value.unicodeScalars.count <= Self.maximumValueLength else {
        throw entry.error("the value has more than \(Self.maximumValueLength) characters")
      }
      items[key] = value
    }
  }
}
