/// An access control list: address blocks, each with an action.
public struct AccessControlList: Sendable, Equatable {
  /// One block.
  public struct Entry: Sendable, Equatable {
    public var prefix: IPPrefix
    /// `ALLOW`, `BLOCK`, or whatever the file says.
    public var action: String

    public init(prefix: IPPrefix, action: String) {
      self.prefix = prefix
      self.action = action
    }
  }

  /// In the order of the file.
  public var entries: [Entry]
  /// The JSON file behind it, to watch for changes.
  public private(set) var file: String?

  public init(entries: [Entry] = [], file: String? = nil) {
    self.entries = entries
    self.file = file
  }

  /// The entry with the longest prefix that contains the address; of equal ones the later.
  public func lookup(_ address: IPAddress) -> Entry? {
    entries.filter { $0.prefix.contains(address) }.enumerated()
      .max { ($0.element.prefix.bitCount, $0.offset) < ($1.element.prefix.bitCount, $1.offset) }?
      .element
  }

  /// Takes the object of a file: `{"entries": [{"op": "create", "prefix": "192.0.2.0/24", "action": "BLOCK"}]}`.
  init(document: ConfigurationEntry, file: String) throws {
    self.file = file
    entries = []
    let listed = try document.table("an object with entries").required("entries", "an array of prefixes with actions")
    for element in try listed.elements() {
      let table = try element.table("an object with prefix and action")
      let text = try table.required("prefix", "an address block like 192.0.2.0/24")
      guard let prefix = IPPrefix(try text.string()), prefix.bitCount > 0 else {
        throw text.error("must be an address with a length from 1: 192.0.2.0/24 or 2001:db8::/32")
      }
      let action = try table.required("action", "ALLOW or BLOCK").nonBlankString()
      entries.append(Entry(prefix: prefix, action: action))
    }
  }
}
