/// A header without its values: how often it came and how large it was.
public struct HeaderSummary: Sendable, Hashable {
  /// In canonical case (`Content-Type`), or `<redacted>`.
  public let name: String
  /// How many values it had.
  public let count: Int
  /// Bytes of name and value, and 4 for `: ` and the line's end, summed over all values.
  public let bytes: Int

  /// - Parameter name: A name in any case; one that ``HeaderRedaction`` lists becomes `<redacted>`.
  public init(name: String, count: Int, bytes: Int) {
    self.name =
      HeaderRedaction.isRedacted(name)
      ? HeaderRedaction.placeholder : HeaderRedaction.canonical(PrintableText.bounded(name, to: 256))
    self.count = count
    self.bytes = bytes
  }

  /// Summarises headers: one row for each name, sorted by name. Redacted headers keep one row each, all named
  /// `<redacted>`, so a large one can be seen without telling which it is.
  public static func summarize(_ headers: some Sequence<(name: String, value: String)>) -> [HeaderSummary] {
    summarize(sizes: headers.lazy.map { (name: $0.name, valueBytes: $0.value.utf8.count) })
  }

  /// Summarises headers of which only the sizes of the values are given.
  public static func summarize(sizes headers: some Sequence<(name: String, valueBytes: Int)>) -> [HeaderSummary] {
    var rows: [String: (count: Int, bytes: Int)] = [:]
    for header in headers {
      let size = header.name.utf8.count + header.valueBytes + 4
      rows[HeaderRedaction.canonical(header.name), default: (0, 0)].count += 1
      rows[HeaderRedaction.canonical(header.name), default: (0, 0)].bytes += size
    }
    return rows.map { HeaderSummary(name: $0.key, count: $0.value.count, bytes: $0.value.bytes) }
      .sorted { ($0.name, $0.bytes, $0.count) < ($1.name, $1.bytes, $1.count) }
  }
}

/// The headers whose very presence is kept quiet.
public enum HeaderRedaction {
  /// What stands in the place of their names.
  public static let placeholder = "<redacted>"

  /// Their names in lower case.
  public static let names: Set<String> = [
    "cookie", "set-cookie", "authorization", "proxy-authorization", "x-api-key", "proxy-authenticate",
    "www-authenticate",
  ]

  /// Whether a name, in any case, is one of ``names``.
  public static func isRedacted(_ name: String) -> Bool {
    // Most names differ from all of these in length or first letter, and need no lowered copy.
    guard let first = name.utf8.first, lengths & (1 << UInt64(min(name.utf8.count, 63))) != 0,
      "cpswax".utf8.contains(first | 0x20)
    else { return false }
    return names.contains(name.lowercased())
  }

  /// Bit n is set where a name has n bytes.
  private static let lengths = names.reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1.utf8.count) }

  /// Upper case at the start and after hyphens, lower case elsewhere. Names that are no tokens stay as they are.
  static func canonical(_ name: String) -> String {
    var bytes = Array(name.utf8)
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return name }
    var atStart = true
    for index in bytes.indices {
      let byte = bytes[index]
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      if isLetter { bytes[index] = atStart ? byte & ~0x20 : byte | 0x20 }
      atStart = byte == UInt8(ascii: "-")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
