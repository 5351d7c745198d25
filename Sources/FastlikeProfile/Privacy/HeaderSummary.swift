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
    self.init(canonical: HeaderRedaction.canonical(name), count: count, bytes: bytes)
  }

  private init(canonical name: String, count: Int, bytes: Int) {
    self.name = HeaderRedaction.isRedacted(name) ? HeaderRedaction.placeholder : Self.printable(name)
    self.count = count
    self.bytes = bytes
  }

  private static func printable(_ canonical: String) -> String {
    let bounded = PrintableText.bounded(canonical, to: 256)
    // What had to be changed may be a token only now.
    return bounded == canonical ? canonical : HeaderRedaction.canonical(bounded)
  }

  /// Summarises headers: one row for each name, sorted by name. Redacted headers keep one row each, all named
  /// `<redacted>`, so a large one can be seen without telling which it is.
  public static func summarize(_ headers: some Sequence<(name: String, value: String)>) -> [HeaderSummary] {
    summarize(sizes: headers.map { (name: $0.name, valueBytes: $0.value.utf8.count) })
  }

  /// Summarises headers of which only the sizes of the values are given.
  public static func summarize(sizes headers: some Sequence<(name: String, valueBytes: Int)>) -> [HeaderSummary] {
    let headers = Array(headers)
    return summarize(
      fields: headers.count, name: { ArraySlice(headers[$0].name.utf8) }, valueBytes: { headers[$0].valueBytes })
  }

  /// Summarises headers that lie in a host's own storage.
  /// - Parameters:
  ///   - fields: The number of fields.
  ///   - name: The bytes of a field's name, by its index.
  ///   - valueBytes: The number of bytes of a field's value, by its index.
  public static func summarize(
    fields: Int, name: (Int) -> ArraySlice<UInt8>, valueBytes: (Int) -> Int
  ) -> [HeaderSummary] {
    var rows: [(name: String, count: Int, bytes: Int)] = []
    rows.reserveCapacity(fields)
    // A message of very many names is looked up in a table.
    var places: [String: Int] = [:]
    for field in 0..<fields {
      let bytes = name(field)
      let key = HeaderRedaction.canonical(bytes)
      let size = bytes.count + valueBytes(field) + 4
      let known = rows.count <= 32 ? rows.firstIndex { $0.name == key } : places[key]
      if let known {
        rows[known].count += 1
        rows[known].bytes += size
      } else {
        rows.append((key, 1, size))
        if rows.count > 32 {
          if places.isEmpty { for (place, row) in rows.enumerated() { places[row.name] = place } }
          places[key] = rows.count - 1
        }
      }
    }
    return rows.map { HeaderSummary(canonical: $0.name, count: $0.count, bytes: $0.bytes) }
      .sorted { $0.name == $1.name ? ($0.bytes, $0.count) < ($1.bytes, $1.count) : $0.name < $1.name }
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
  static func canonical(_ name: String) -> String { canonical(ArraySlice(name.utf8)) }

  static func canonical(_ name: ArraySlice<UInt8>) -> String {
    guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return String(decoding: name, as: UTF8.self) }
    return String(unsafeUninitializedCapacity: name.count) { buffer in
      var atStart = true
      for (place, byte) in name.enumerated() {
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        buffer[place] = !isLetter ? byte : atStart ? byte & ~0x20 : byte | 0x20
        atStart = byte == UInt8(ascii: "-")
      }
      return name.count
    }
  }
}
