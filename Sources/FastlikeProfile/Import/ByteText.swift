/// Pieces of lines, as ranges of the input's bytes.
enum ByteText {
  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// The value of a hexadecimal digit; nil for other bytes.
  @inline(__always)
  static func hexDigit(_ byte: UInt8) -> UInt64? {
    if isDigit(byte) { return UInt64(byte &- 0x30) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt64(letter) + 10 : nil
  }

  /// Without blanks and carriage returns at both ends.
  static func trimmed(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) || bytes[end - 1] == 0x0D { end -= 1 }
    return start..<end
  }

  /// The first word, without the blanks before it.
  static func word(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    while start < range.upperBound, isBlank(bytes[start]) { start += 1 }
    var end = start
    while end < range.upperBound, !isBlank(bytes[end]) { end += 1 }
    return start..<end
  }

  /// The last word; empty in front of nothing but blanks.
  static func lastWord(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound, isBlank(bytes[end - 1]) { end -= 1 }
    var start = end
    while start > range.lowerBound, !isBlank(bytes[start - 1]) { start -= 1 }
    return start..<end
  }

  /// A number of hexadecimal digits alone, with or without `0x`; nil for anything else and beyond 64 bits.
  static func hexadecimal(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
    var start = range.lowerBound
    if range.count > 2, bytes[start] == 0x30, bytes[start + 1] | 0x20 == UInt8(ascii: "x") { start += 2 }
    guard start < range.upperBound, range.upperBound - start <= 16 else { return nil }
    var value: UInt64 = 0
    for index in start..<range.upperBound {
      guard let digit = hexDigit(bytes[index]) else { return nil }
      value = value << 4 | digit
    }
    return value
  }

  /// A number of at most 18 decimal digits; nil for anything else.
  static func decimal(_ bytes: [UInt8], _ range: Range<Int>) -> Int64? {
    guard !range.isEmpty, range.count <= 18 else { return nil }
    var value: Int64 = 0
    for index in range {
      guard isDigit(bytes[index]) else { return nil }
      value = value * 10 + Int64(bytes[index] &- 0x30)
    }
    return value
  }

  static func starts(_ bytes: [UInt8], _ range: Range<Int>, with text: StaticString) -> Bool {
    text.withUTF8Buffer { range.count >= $0.count && bytes[range].starts(with: $0) }
  }

  static func equal(_ bytes: [UInt8], _ range: Range<Int>, _ text: StaticString) -> Bool {
    range.count == text.utf8CodeUnitCount && starts(bytes, range, with: text)
  }
}
