/// The character rules of HTTP/1.1 messages (RFC 9110 §5, RFC 9112).
enum WireSyntax {
  /// Whether the byte may stand in a method or a field name (RFC 9110 §5.6.2).
  @inline(__always)
  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
    default: false
    }
  }

  /// Whether the byte may stand in a field value: visible ASCII, space, tab and obs-text (RFC 9110 §5.5).
  @inline(__always)
  static func isFieldValueByte(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

  /// Whether the byte may stand in a request target; percent-encoding is the sender's business.
  @inline(__always)
  static func isTargetByte(_ byte: UInt8) -> Bool { byte > 0x20 && byte != 0x7F }

  static func isToken(_ bytes: some Collection<UInt8>) -> Bool { !bytes.isEmpty && bytes.allSatisfy(isTokenByte) }

  /// The bytes without spaces and tabs at either end.
  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return bytes
  }

  /// The number that is written with one to eighteen ASCII digits and nothing else.
  static func decimal(_ bytes: some Collection<UInt8>) -> Int? {
    guard (1...18).contains(bytes.count) else { return nil }
    var value = 0
    for byte in bytes {
      guard byte &- 0x30 < 10 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    return value
  }

  /// Whether both are the same apart from ASCII case.
  static func equalIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    left.count == right.count && left.elementsEqual(right) { asciiLowercased($0) == asciiLowercased($1) }
  }
}

extension HeaderList {
  /// The members of a comma-separated field, over all fields of that name, without empty ones.
  func members(of name: String) -> [ArraySlice<UInt8>] {
    guard contains(name) else { return [] }
    return indices(of: name.utf8).flatMap { index in
      value(at: index).split(separator: UInt8(ascii: ",")).map(WireSyntax.trimmed).filter { !$0.isEmpty }
    }
  }

  /// Whether a comma-separated field has this member, regardless of case.
  func hasMember(_ token: String, in name: String) -> Bool {
    members(of: name).contains { WireSyntax.equalIgnoringCase($0, token.utf8) }
  }
}
