internal import Foundation

/// Walks over JSON without building a tree, because profiles are large and little of them is wanted.
///
/// It checks what it walks over as far as it must to stay on its feet; it is no validator. Errors tell the byte's
/// offset.
struct ProfileJSONReader {
  /// Containers inside of containers.
  private static let maximumDepth = 128

  private let bytes: [UInt8]
  private(set) var position: Int
  private var depth = 0

  init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  enum Kind {
    case object, array, string, number, literal
  }

  func error(_ reason: String) -> NativeSampleError { .malformedBytes(offset: position, reason: reason) }

  /// What comes next.
  mutating func kind() throws(NativeSampleError) -> Kind {
    skipBlanks()
    guard position < bytes.count else { throw error("the JSON is cut off") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .literal
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw error("not JSON")
    }
  }

  /// Nothing but blanks follows.
  mutating func end() throws(NativeSampleError) {
    skipBlanks()
    guard position == bytes.count else { throw error("text after the end of the JSON") }
  }

  // MARK: - Containers

  /// Calls `member` for each key; it must read or skip the value.
  mutating func object(
    _ member: (inout ProfileJSONReader, String) throws(NativeSampleError) -> Void
  ) throws(NativeSampleError) {
    try open(UInt8(ascii: "{"), "expected an object")
    guard !take(UInt8(ascii: "}")) else { return depth -= 1 }
    repeat {
      skipBlanks()
      let key = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw error("expected a colon") }
      try member(&self, key)
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error("expected a comma or the object's end") }
    depth -= 1
  }

  /// Calls `element` for each element; it must read or skip the value.
  mutating func array(
    _ element: (inout ProfileJSONReader) throws(NativeSampleError) -> Void
  ) throws(NativeSampleError) {
    try open(UInt8(ascii: "["), "expected an array")
    guard !take(UInt8(ascii: "]")) else { return depth -= 1 }
    repeat {
      try element(&self)
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error("expected a comma or the array's end") }
    depth -= 1
  }

  private mutating func open(_ bracket: UInt8, _ expectation: String) throws(NativeSampleError) {
    skipBlanks()
    guard take(bracket) else { throw error(position < bytes.count ? expectation : "the JSON is cut off") }
    depth += 1
    guard depth <= Self.maximumDepth else { throw error("nested too deeply") }
    skipBlanks()
  }

  /// Skips a value of any kind.
  mutating func skip() throws(NativeSampleError) {
    switch try kind() {
    case .object: try object { reader, _ throws(NativeSampleError) in try reader.skip() }
    case .array: try array { reader throws(NativeSampleError) in try reader.skip() }
    case .string: try skipString()
    case .number, .literal: _ = try number()
    }
  }

  // MARK: - Values

  /// A number; NaN for null, true and false.
  mutating func number() throws(NativeSampleError) -> Double {
    skipBlanks()
    for literal: StaticString in ["null", "true", "false"]
    where ByteText.starts(bytes, position..<bytes.count, with: literal) {
      position += literal.utf8CodeUnitCount
      return .nan
    }
    let start = position
    let isNegative = take(UInt8(ascii: "-"))
    var mantissa: UInt64 = 0
    var digits = 0
    var scale = 0
    var isPlain = true
    while position < bytes.count {
      let byte = bytes[position]
      if ByteText.isDigit(byte) {
        if digits < 18 { mantissa = mantissa * 10 + UInt64(byte &- 0x30) } else { isPlain = false }
        digits += 1
        if scale > 0 { scale += 1 }
      } else if byte == UInt8(ascii: "."), scale == 0 {
        scale = 1
      } else if byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") {
        isPlain = false
      } else {
        break
      }
      position += 1
    }
    guard digits > 0 else { throw error("expected a number") }
    if isPlain, mantissa < 1 << 53, scale <= 19 {
      let value = Double(mantissa) / Self.powersOfTen[max(0, scale - 1)]
      return isNegative ? -value : value
    }
    guard position - start <= 400, let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      throw error("not a number")
    }
    return value
  }

  private static let powersOfTen: [Double] = (0...18).map { pow(10, Double($0)) }

  /// A string; the empty one for anything else that is no container.
  mutating func stringOrEmpty() throws(NativeSampleError) -> String {
    if try kind() == .string { return try string() }
    try skip()
    return ""
  }

  mutating func string() throws(NativeSampleError) -> String {
    skipBlanks()
    let start = position + 1
    try skipString()
    let content = start..<(position - 1)
    guard bytes[content].contains(UInt8(ascii: "\\")) else { return String(decoding: bytes[content], as: UTF8.self) }
    return unescaped(content)
  }

  private mutating func skipString() throws(NativeSampleError) {
    guard take(UInt8(ascii: "\"")) else {
      throw error(position < bytes.count ? "expected a string" : "the JSON is cut off")
    }
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return
      }
      guard byte >= 0x20 else { throw error("control character in a string") }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    position = bytes.count
    throw error("the JSON is cut off")
  }

  private func unescaped(_ content: Range<Int>) -> String {
    var units: [UInt8] = []
    var index = content.lowerBound
    while index < content.upperBound {
      let byte = bytes[index]
      guard byte == UInt8(ascii: "\\"), index + 1 < content.upperBound else {
        units.append(byte)
        index += 1
        continue
      }
      let escape = bytes[index + 1]
      index += 2
      switch escape {
      case UInt8(ascii: "n"): units.append(0x0A)
      case UInt8(ascii: "t"): units.append(0x09)
      case UInt8(ascii: "r"): units.append(0x0D)
      case UInt8(ascii: "b"): units.append(0x08)
      case UInt8(ascii: "f"): units.append(0x0C)
      case UInt8(ascii: "u"):
        var scalar = codeUnit(at: index, before: content.upperBound)
        index = min(index + 4, content.upperBound)
        if scalar & 0xFC00 == 0xD800, index + 1 < content.upperBound, bytes[index] == UInt8(ascii: "\\") {
          let low = codeUnit(at: index + 2, before: content.upperBound)
          if low & 0xFC00 == 0xDC00 {
            scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
            index = min(index + 6, content.upperBound)
          }
        }
        units.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
      default: units.append(escape)
      }
    }
    return String(decoding: units, as: UTF8.self)
  }

  /// Four hexadecimal digits; the replacement character's number for anything else.
  private func codeUnit(at index: Int, before end: Int) -> UInt32 {
    guard index + 4 <= end, let value = ByteText.hexadecimal(bytes, index..<(index + 4)) else { return 0xFFFD }
    return UInt32(value)
  }

  // MARK: - Bytes

  private mutating func skipBlanks() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }
}
