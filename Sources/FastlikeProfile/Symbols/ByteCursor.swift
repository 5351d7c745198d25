/// Reads numbers from a part of some bytes. What does not fit gives nil, and nothing is read behind the end.
struct ByteCursor {
  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int

  init(_ bytes: [UInt8], in range: Range<Int>) {
    self.bytes = bytes
    end = min(max(range.upperBound, 0), bytes.count)
    position = min(max(range.lowerBound, 0), end)
  }

  var isAtEnd: Bool { position >= end }
  var remaining: Range<Int> { position..<end }

  mutating func byte() -> UInt8? {
    guard position < end else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  /// A little-endian number of up to 8 bytes.
  mutating func number(bytes count: Int) -> UInt64? {
    guard count <= end - position else { return nil }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += count
    return value
  }

  mutating func unsigned() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard let byte = byte() else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  mutating func signed() -> Int64? {
    var value: Int64 = 0
    for shift in stride(from: Int64(0), through: 63, by: 7) {
      guard let byte = byte() else { return nil }
      value |= Int64(byte & 0x7F) << shift
      if byte & 0x80 == 0 {
        return byte & 0x40 != 0 && shift < 57 ? value - (1 << (shift + 7)) : value
      }
    }
    return nil
  }

  /// A number that is a length or an offset.
  mutating func length() -> Int? { unsigned().flatMap { Int(exactly: $0) } }

  mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= end - position else { return false }
    position += count
    return true
  }

  /// The range of the next so many bytes, which are passed over.
  mutating func block(_ count: Int) -> Range<Int>? {
    let start = position
    return skip(count) ? start..<position : nil
  }

  /// A text that ends with a zero byte.
  mutating func text() -> String? {
    guard let zero = bytes[position..<end].firstIndex(of: 0) else { return nil }
    defer { position = zero + 1 }
    return String(decoding: bytes[position..<zero], as: UTF8.self)
  }
}
