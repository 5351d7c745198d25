/// Reads JSON (RFC 8259) and tells on which line it went wrong, which Foundation's decoder does not.
struct JSONReader {
  /// A syntax error.
  struct Malformed: Error, Equatable {
    /// From 1.
    var line: Int
    var problem: String
  }

  private static let maximumDepth = 128

  private let bytes: [UInt8]
  private var position = 0
  /// Where the reader is, and where it looks out for: only when a line is asked for.
  private var path: [ConfigurationPathComponent] = []
  private var wanted: [ConfigurationPathComponent]?
  private var found: Int?

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
  }

  /// The value of a whole document. Integers within 64 bits stay integers; a key may be there once.
  ///
  /// Throws ``Malformed``.
  static func value(of bytes: [UInt8]) throws -> ConfigurationValue {
    var reader = JSONReader(bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == reader.bytes.count else { throw reader.malformed("nothing may follow the value") }
    return value
  }

  /// The line, from 1, on which a part of a document begins, or the innermost part of it that is there. The document is
  /// read once more for that, which only happens when there is a mistake to tell.
  static func line(of path: [ConfigurationPathComponent], in bytes: [UInt8]) -> Int? {
    var reader = JSONReader(bytes)
    reader.wanted = path
    _ = try? reader.value(depth: 0)
    return reader.found
  }

  /// Remembers the line when the reader is on its way to what is wanted.
  private mutating func enter(_ component: ConfigurationPathComponent) {
    guard let wanted else { return }
    path.append(component)
    if wanted.starts(with: path) { found = line }
  }

  private mutating func leave() {
    if wanted != nil { path.removeLast() }
  }

  private var line: Int { 1 + bytes.prefix(position).count { $0 == UInt8(ascii: "\n") } }

  private func malformed(_ problem: String) -> Malformed {
    Malformed(line: line, problem: problem)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    position += 1
    return true
  }

  private mutating func take(word: StaticString) -> Bool {
    let word = word.description.utf8
    guard bytes[position...].starts(with: word) else { return false }
    position += word.count
    return true
  }

  private mutating func value(depth: Int) throws -> ConfigurationValue {
    skipSpace()
    guard depth < Self.maximumDepth else { throw malformed("more than \(Self.maximumDepth) levels") }
    switch current {
    case nil: throw malformed("a value is missing at the end")
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take(word: "true"): return .boolean(true)
    case UInt8(ascii: "f") where take(word: "false"): return .boolean(false)
    case UInt8(ascii: "n") where take(word: "null"): return .null
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws -> ConfigurationValue {
    position += 1
    var members: [String: ConfigurationValue] = [:]
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw malformed("a key in double quotes is missing") }
      let key = try string()
      guard members[key] == nil else { throw malformed("the key \(quoted(key)) is there twice") }
      enter(.key(key))
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw malformed("a colon is missing after a key") }
      members[key] = try value(depth: depth + 1)
      leave()
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw malformed("a comma or } is missing") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> ConfigurationValue {
    position += 1
    var elements: [ConfigurationValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    repeat {
      skipSpace()
      enter(.index(elements.count))
      elements.append(try value(depth: depth + 1))
      leave()
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw malformed("a comma or ] is missing") }
    return .array(elements)
  }

  private mutating func string() throws -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw malformed("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw malformed("a control character in a string; write it as an escape")
      default: text.append(byte)
      }
    }
    throw malformed("a string does not end")
  }

  private mutating func escape() throws -> Unicode.Scalar {
    defer { position += 1 }
    switch current {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try codeUnit()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard UTF16.isLeadSurrogate(first), bytes.dropFirst(position + 1).starts(with: [0x5C, 0x75]) else { break }
      position += 2
      let second = try codeUnit()
      let offset = (UInt32(first) & 0x3FF) << 10 | UInt32(second) & 0x3FF
      guard UTF16.isTrailSurrogate(second), let scalar = Unicode.Scalar(0x10000 + offset) else { break }
      return scalar
    default: break
    }
    throw malformed("an escape is not one of JSON's")
  }

  /// The four digits behind the current `u`; the last one becomes current.
  private mutating func codeUnit() throws -> UInt16 {
    let digits = bytes.dropFirst(position + 1).prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw malformed("\\u is not followed by four hexadecimal digits") }
    position += 4
    return unit
  }

  private mutating func number() throws -> ConfigurationValue {
    let start = position
    _ = take(UInt8(ascii: "-"))
    let integerPart = digits()
    var isValid = integerPart.count == 1 || (integerPart.count > 1 && integerPart.first != UInt8(ascii: "0"))
    var isInteger = true
    if take(UInt8(ascii: ".")) {
      isInteger = false
      isValid = isValid && !digits().isEmpty
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      isValid = isValid && !digits().isEmpty
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isValid {
      if isInteger, let value = Int64(text) { return .integer(value) }
      if let value = Double(text), value.isFinite { return .number(value) }
    }
    position = start
    throw malformed("what stands here is not a JSON value")
  }

  private mutating func digits() -> ArraySlice<UInt8> {
    let start = position
    while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return bytes[start..<position]
  }
}
