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
  public let entries: [Entry]
  private var table = PrefixTable<Entry>()
  /// The JSON file behind it, to watch for changes.
  public private(set) var file: String?

  public init(entries: [Entry] = [], file: String? = nil) {
    self.entries = entries
    self.file = file
    for entry in entries { table.insert(entry, for: entry.prefix) }
  }

  /// The entry with the longest prefix that contains the address; of equal ones the later.
  public func lookup(_ address: IPAddress) -> Entry? {
    table.lookup(address)
  }

  /// Takes the object of a file: `{"entries": [{"op": "create", "prefix": "192.0.2.0/24", "action": "BLOCK"}]}`. `op` is
  /// what the platform's API has in such an object, and does not matter here. `ALLOW` and `BLOCK` may be in any case.
  init(document: ConfigurationEntry, file: String) throws {
    var entries: [Entry] = []
    let listed = try document.table("an object with entries").required("entries", "an array of prefixes with actions")
    for element in try listed.elements() {
      let table = try element.table("an object with prefix and action")
      let text = try table.required("prefix", "an address block like 192.0.2.0/24")
      guard let prefix = IPPrefix(try text.string()), prefix.bitCount > 0 else {
        throw text.error("must be an address with a length from 1: 192.0.2.0/24 or 2001:db8::/32")
      }
      let action = try table.required("action", "ALLOW or BLOCK").nonBlankString()
      let known = ["ALLOW", "BLOCK"].first { $0 == action.uppercased() }
      entries.append(Entry(prefix: prefix, action: known ?? action))
    }
    self.init(entries: entries, file: file)
  }
}
