import NIOCore

/// Encodes header blocks of responses (RFC 7541) without a dynamic table: every block stands for itself, so that no
/// client's table has to be followed, and one request costs no more than its bytes.
enum HeaderBlockEncoder {
  /// Begins the first block of a connection: the table has no room. After that no change of its limit by the client
  /// asks for an announcement (§4.2).
  static func writeTableSize(into out: inout ByteBuffer) { out.writeInteger(UInt8(0x20)) }

  static func writeStatus(_ status: UInt16, into out: inout ByteBuffer) {
    if let index = HPACKStaticTable.index(ofStatus: status) {
      out.writeInteger(0x80 | index)
    } else {
      out.writeInteger(UInt8(HPACKStaticTable.status))
      out.writeInteger(UInt8(3))
      out.writeInteger(UInt8(0x30 + status / 100 % 10))
      out.writeInteger(UInt8(0x30 + status / 10 % 10))
      out.writeInteger(UInt8(0x30 + status % 10))
    }
  }

  /// Writes a field as a literal that nobody keeps, with its name in lower case (RFC 9113 §8.2.1).
  static func writeField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, into out: inout ByteBuffer) {
    if let index = staticIndex(name.span) {
      writeInteger(index, prefix: 4, flags: 0, into: &out)
    } else {
      out.writeInteger(UInt8(0))
      writeInteger(name.count, prefix: 7, flags: 0, into: &out)
      out.writeBytes(name.lazy.map(HTTPCharacters.lowercased))
    }
    writeInteger(value.count, prefix: 7, flags: 0, into: &out)
    out.writeBytes(value)
  }

  /// The index of the names that nearly every response has.
  private static func staticIndex(_ name: Span<UInt8>) -> Int? {
    switch name.count {
    case 4 where name.isEqualIgnoringCase(to: FieldText.date): HPACKStaticTable.date
    case 12 where name.isEqualIgnoringCase(to: FieldText.contentType): HPACKStaticTable.contentType
    case 14 where name.isEqualIgnoringCase(to: FieldText.contentLength): HPACKStaticTable.contentLength
    default: nil
    }
  }

  /// An integer with a prefix of so many bits below the flags (§5.1).
  static func writeInteger(_ number: Int, prefix: Int, flags: UInt8, into out: inout ByteBuffer) {
    let mask = 1 << prefix - 1
    guard number >= mask else {
      out.writeInteger(flags | UInt8(number))
      return
    }
    out.writeInteger(flags | UInt8(mask))
    var rest = number - mask
    while rest >= 0x80 {
      out.writeInteger(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    out.writeInteger(UInt8(rest))
  }
}
