/// One step into a document.
enum ConfigurationPathComponent: Hashable, Sendable {
  case key(String)
  case index(Int)
}

/// On which line each key of a TOML document stands: TOMLKit keeps positions for syntax errors only.
///
/// It expects a document that parsed. Keys inside inline tables and elements of inline arrays are not in the index; they
/// are found on the line of what encloses them.
struct TOMLLineIndex: Sendable {
  private var lines: [[ConfigurationPathComponent]: Int] = [:]

  init(_ text: String) {
    var scanner = Scanner(text)
    var table: [ConfigurationPathComponent] = []
    var elementCounts: [[ConfigurationPathComponent]: Int] = [:]
    while scanner.skipToContent() {
      let line = scanner.line
      if scanner.take("[") {
        let isArray = scanner.take("[")
        let keys = scanner.dottedKey()
        table = []
        for (position, key) in keys.enumerated() {
          table.append(.key(key))
          let isLast = position == keys.count - 1
          if isLast, isArray { elementCounts[table, default: 0] += 1 }
          lines[table] = lines[table] ?? line
          if let count = elementCounts[table] { table.append(.index(count - 1)) }
        }
        lines[table] = line
        scanner.skipLine()
      } else {
        var path = table
        for key in scanner.dottedKey() {
          path.append(.key(key))
          lines[path] = lines[path] ?? line
        }
        scanner.skipValue()
      }
    }
  }

  /// The line, from 1, of the innermost part of the path that is in the index.
  func line(of path: [ConfigurationPathComponent]) -> Int? {
    var path = path
    while !path.isEmpty {
      if let line = lines[path] { return line }
      path.removeLast()
    }
    return nil
  }

  private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(_ text: String) { bytes = Array(text.utf8) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance(_ count: Int = 1) {
      for byte in bytes[position..<min(position + count, bytes.count)] where byte == UInt8(ascii: "\n") { line += 1 }
      position = min(position + count, bytes.count)
    }

    mutating func take(_ text: StaticString) -> Bool {
      let text = text.description.utf8
      guard bytes[position...].starts(with: text) else { return false }
      advance(text.count)
      return true
    }

    mutating func skipLine() {
      while let byte = current, byte != UInt8(ascii: "\n") { advance() }
    }

    /// Goes to the next byte that is neither space nor comment; false at the end.
    mutating func skipToContent() -> Bool {
      while let byte = current {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: advance()
        case UInt8(ascii: "#"): skipLine()
        default: return true
        }
      }
      return false
    }

    /// Keys up to `=`, `]` or the line's end, without their quotes.
    mutating func dottedKey() -> [String] {
      var keys: [String] = []
      var key: [UInt8] = []
      func finished(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
      while let byte = current, byte != UInt8(ascii: "="), byte != UInt8(ascii: "]"), byte != UInt8(ascii: "\n") {
        switch byte {
        case UInt8(ascii: "."):
          keys.append(finished(key))
          key = []
          advance()
        case UInt8(ascii: "\""), UInt8(ascii: "'"): key += quotedText(byte)
        case 0x20, 0x09, 0x0D: advance()
        default:
          key.append(byte)
          advance()
        }
      }
      keys.append(finished(key))
      return keys
    }

    /// The text of a one-line string that starts with `quote`; escapes stay as written.
    private mutating func quotedText(_ quote: UInt8) -> [UInt8] {
      advance()
      let start = position
      while let byte = current, byte != quote, byte != UInt8(ascii: "\n") {
        advance(byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1)
      }
      defer { advance() }
      return Array(bytes[start..<position])
    }

    /// Goes behind the value after `=`, over several lines for arrays and multi-line strings.
    mutating func skipValue() {
      var depth = 0
      while let byte = current {
        switch byte {
        case UInt8(ascii: "\n") where depth == 0: return
        case UInt8(ascii: "#"): skipLine()
        case UInt8(ascii: "["), UInt8(ascii: "{"):
          depth += 1
          advance()
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
          depth -= 1
          advance()
        case UInt8(ascii: "\""):
          if take("\"\"\"") { skipMultiLine(UInt8(ascii: "\"")) } else { _ = quotedText(byte) }
        case UInt8(ascii: "'"):
          if take("'''") { skipMultiLine(UInt8(ascii: "'")) } else { _ = quotedText(byte) }
        default: advance()
        }
      }
    }

    private mutating func skipMultiLine(_ quote: UInt8) {
      while let byte = current {
        if byte == quote, bytes[position...].starts(with: [quote, quote, quote]) {
          // Up to two more quotes belong to the string itself.
          while current == quote { advance() }
          return
        }
        advance(byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1)
      }
    }
  }
}
