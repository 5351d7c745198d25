/// A document that values come from.
struct ConfigurationSource: Sendable {
  /// The file's path as the user wrote it.
  var name: String
  var lines = ConfigurationLines.unknown
}

/// How the line of a key is found.
enum ConfigurationLines: Sendable {
  case unknown
  case toml(TOMLLineIndex)
  /// The bytes of the document.
  case json([UInt8])

  /// The line, from 1, of the innermost part of the path that is found.
  func line(of path: [ConfigurationPathComponent]) -> Int? {
    switch self {
    case .unknown: nil
    case .toml(let index): index.line(of: path)
    case .json(let bytes): path.isEmpty ? nil : JSONReader.line(of: path, in: bytes)
    }
  }
}

/// A value of a configuration file together with its place, so that whatever is wrong with it can be told precisely.
struct ConfigurationEntry: Sendable {
  let value: ConfigurationValue
  let path: [ConfigurationPathComponent]
  let source: ConfigurationSource

  init(_ value: ConfigurationValue, path: [ConfigurationPathComponent] = [], source: ConfigurationSource) {
    self.value = value
    self.path = path
    self.source = source
  }

  /// The file, the line where it is known, and the key.
  var place: String { place(of: path) }

  private func place(of path: [ConfigurationPathComponent]) -> String {
    var text = source.name
    if let line = source.lines.line(of: path) { text += ":\(line)" }
    guard !path.isEmpty else { return text }
    text += ": "
    for (position, component) in path.enumerated() {
      switch component {
      case .index(let index): text += "[\(index)]"
      case .key(let key):
        if position > 0 { text += "." }
        let isBare = !key.isEmpty && key.utf8.allSatisfy { isNameByte($0) && $0 != UInt8(ascii: ".") }
        text += isBare ? key : quoted(key)
      }
    }
    return text
  }

  func error(_ problem: String) -> ConfigurationError { ConfigurationError(place: place, problem: problem) }

  /// An error whose place is a key of this table.
  func error(at key: String, _ problem: String) -> ConfigurationError {
    ConfigurationError(place: place(of: path + [.key(key)]), problem: problem)
  }

  private func mismatch(_ expected: String) -> ConfigurationError { error("must be \(expected), not \(value.kind)") }

  func string() throws -> String {
    guard case .string(let string) = value else { throw mismatch("a string") }
    return string
  }

  func nonBlankString() throws -> String {
    let string = try string()
    guard string.contains(where: { !$0.isWhitespace }) else { throw error("must not be blank") }
    return string
  }

  func boolean() throws -> Bool {
    guard case .boolean(let boolean) = value else { throw mismatch("true or false") }
    return boolean
  }

  func integer() throws -> Int64 {
    guard case .integer(let integer) = value else { throw mismatch("an integer") }
    return integer
  }

  func elements(of expected: String = "an array") throws -> [ConfigurationEntry] {
    guard case .array(let values) = value else { throw mismatch(expected) }
    return values.enumerated().map {
      ConfigurationEntry($0.element, path: path + [.index($0.offset)], source: source)
    }
  }

  func table(_ expected: String = "a table") throws -> ConfigurationTable {
    guard case .object(let members) = value else { throw mismatch(expected) }
    return ConfigurationTable(entry: self, members: members)
  }
}

/// A table of a configuration file, or an object of a JSON file.
struct ConfigurationTable: Sendable {
  let entry: ConfigurationEntry
  private let members: [String: ConfigurationValue]

  init(entry: ConfigurationEntry, members: [String: ConfigurationValue]) {
    self.entry = entry
    self.members = members
  }

  subscript(key: String) -> ConfigurationEntry? {
    members[key].map { ConfigurationEntry($0, path: entry.path + [.key(key)], source: entry.source) }
  }

  /// Keys with their values, in the order of the keys, so that the first of several mistakes is always the same.
  var entries: [(key: String, entry: ConfigurationEntry)] {
    members.keys.sorted().compactMap { key in self[key].map { (key, $0) } }
  }

  func required(_ key: String, _ allowed: String) throws -> ConfigurationEntry {
    guard let value = self[key] else { throw entry.error("\(key) is missing: give \(allowed)") }
    return value
  }

  /// Throws for the first key that is not one of these.
  func allowOnly(_ keys: [String]) throws {
    for (key, value) in entries where !keys.contains(key) {
      throw value.error("unrecognized key; allowed are \(keys.joined(separator: ", "))")
    }
  }

  /// The one of these keys that is there, or nil. Throws when there are several.
  func single(of keys: [String]) throws -> (key: String, entry: ConfigurationEntry)? {
    let found = keys.compactMap { key in self[key].map { (key: key, entry: $0) } }
    if found.count > 1 {
      throw found[1].entry.error("duplicates \(found[0].key): give only one of \(keys.joined(separator: ", "))")
    }
    return found.first
  }
}

/// Whether a byte may stand in the name of a secret store or secret: an ASCII letter or digit, `_`, `-` or `.`.
func isNameByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
    true
  default: false
  }
}
