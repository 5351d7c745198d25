/// Rust's first mangling, which borrows C++'s form: `_ZN`, length-prefixed parts, a part `h` with 16 hexadecimal digits, `E`.
enum RustLegacyDemangler {
  static func demangle(_ symbol: String) -> String? {
    let bytes = Array(symbol.utf8)
    guard
      let start = [Array("_ZN".utf8), Array("__ZN".utf8), Array("ZN".utf8)].first(where: { bytes.starts(with: $0) })
    else { return nil }
    var cursor = start.count
    var parts: [ArraySlice<UInt8>] = []
    while cursor < bytes.count, bytes[cursor] != UInt8(ascii: "E") {
      var length = 0
      let digits = cursor
      while cursor < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[cursor]), length < 10_000 {
        length = length * 10 + Int(bytes[cursor] - UInt8(ascii: "0"))
        cursor += 1
      }
      guard cursor > digits, length > 0, length <= bytes.count - cursor else { return nil }
      parts.append(bytes[cursor..<(cursor + length)])
      cursor += length
    }
    // Without the hash it is C++.
    guard cursor < bytes.count, parts.count > 1, let hash = parts.last, isHash(hash) else { return nil }
    return parts.dropLast().map { unescaped($0) }.joined(separator: "::")
  }

  private static func isHash(_ part: ArraySlice<UInt8>) -> Bool {
    part.count == 17 && part.first == UInt8(ascii: "h")
      && part.dropFirst().allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  private static let escapes: [String: Character] = [
    "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
  ]

  private static func unescaped(_ part: ArraySlice<UInt8>) -> String {
    var rest = Substring(String(decoding: part, as: UTF8.self))
    // A part that begins with an escape has an underscore before it.
    if rest.hasPrefix("_$") { rest.removeFirst() }
    var text = ""
    while let character = rest.popFirst() {
      switch character {
      case "$":
        guard let end = rest.firstIndex(of: "$"), let plain = plain(rest[..<end]) else {
          return text + "$" + rest
        }
        text.append(plain)
        rest = rest[rest.index(after: end)...]
      case "." where rest.first == ".":
        rest.removeFirst()
        text += "::"
      default: text.append(character)
      }
    }
    return text
  }

  /// What stands between two dollar signs: a short name, or `u` and a scalar in hexadecimal.
  private static func plain(_ name: Substring) -> Character? {
    if let known = escapes[String(name)] { return known }
    guard name.first == "u", let value = UInt32(name.dropFirst(), radix: 16), let scalar = Unicode.Scalar(value),
      scalar.properties.generalCategory != .control
    else { return nil }
    return Character(scalar)
  }
}
