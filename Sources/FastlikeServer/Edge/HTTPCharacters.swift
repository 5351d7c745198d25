/// The byte classes and names that the edge's parser and encoder look for.
enum HTTPCharacters {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let comma = UInt8(ascii: ",")
  static let colon = UInt8(ascii: ":")
  static let semicolon = UInt8(ascii: ";")

  /// Whether the byte may stand in a method or a field name (RFC 9110 §5.6.2).
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool { isMember(byte, low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

  /// Whether the byte may stand in a `Host` value: a registered name, an address in brackets, a port (RFC 3986 §3.2.2).
  @inline(__always)
  static func isHost(_ byte: UInt8) -> Bool { isMember(byte, low: 0x2FFF_6FF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFE) }

  /// Whether the byte may stand in a field value: visible ASCII, space, tab and obs-text (RFC 9110 §5.5).
  @inline(__always)
  static func isFieldValue(_ byte: UInt8) -> Bool { byte >= space ? byte != 0x7F : byte == tab }

  /// Looks an ASCII byte up in a set of 128 bits.
  @inline(__always)
  private static func isMember(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
    guard byte < 128 else { return false }
    return ((byte < 64 ? low : high) &>> UInt64(byte & 63)) & 1 == 1
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

  @inline(__always)
  static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}

/// The field names and values with a meaning for the connection, in lower case.
enum FieldText {
  static let cdnLoop = Array("cdn-loop".utf8)
  static let chunked = Array("chunked".utf8)
  static let close = Array("close".utf8)
  static let connection = Array("connection".utf8)
  static let contentLength = Array("content-length".utf8)
  static let contentType = Array("content-type".utf8)
  static let continueExpectation = Array("100-continue".utf8)
  static let cookie = Array("cookie".utf8)
  static let date = Array("date".utf8)
  static let expect = Array("expect".utf8)
  static let host = Array("host".utf8)
  static let keepAlive = Array("keep-alive".utf8)
  static let loopToken = Array(EdgeSettings.loopToken.utf8)
  static let proxyConnection = Array("proxy-connection".utf8)
  static let te = Array("te".utf8)
  static let trailers = Array("trailers".utf8)
  static let transferEncoding = Array("transfer-encoding".utf8)
  static let upgrade = Array("upgrade".utf8)
}

extension Span<UInt8> {
  /// Whether the bytes are this lower-case text, apart from their own case.
  @inline(__always)
  func isEqualIgnoringCase(to text: [UInt8]) -> Bool {
    guard count == text.count else { return false }
    for index in indices where HTTPCharacters.lowercased(self[index]) != text[index] { return false }
    return true
  }

  /// The bounds of the bytes in `bounds` without blanks at either end.
  func trimmed(_ bounds: Range<Int>) -> Range<Int> {
    var lower = bounds.lowerBound
    var upper = bounds.upperBound
    while lower < upper, HTTPCharacters.isBlank(self[lower]) { lower += 1 }
    while upper > lower, HTTPCharacters.isBlank(self[upper - 1]) { upper -= 1 }
    return lower..<upper
  }

  /// The first position of the byte from `start` on, or `end`.
  @inline(__always)
  func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int {
    var index = start
    while index < end, self[index] != byte { index += 1 }
    return index
  }
}
