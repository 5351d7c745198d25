extension Text {
  func hasPrefix(_ prefix: Text) -> Bool {
    count >= prefix.count && self[..<prefix.count] == prefix
  }

  /// The part in front of, or from, an offset.
  subscript(range: some RangeExpression<Int>) -> Text {
    let all = bytes
    return Text([UInt8](all[range.relative(to: all)]))
  }

  /// The offset of a byte's first occurrence.
  func firstIndex(of byte: UInt8) -> Int? {
    withBytes { start, count in
      for offset in 0..<Int(count) where start?[offset] == byte { return offset }
      return nil
    }
  }

  /// The pieces between a separator; an empty text has one empty piece.
  func split(separator: UInt8) -> [Text] {
    var pieces: [Text] = []
    var piece: [UInt8] = []
    for byte in bytes {
      if byte == separator {
        pieces.append(Text(piece))
        piece = []
      } else {
        piece.append(byte)
      }
    }
    pieces.append(Text(piece))
    return pieces
  }

  /// The text as an unsigned decimal number; nil for anything but digits, and beyond 18 digits.
  var decimal: UInt64? {
    // A length limit instead of an overflow check, which on wasm32 needs a 128-bit multiplication from a C library.
    if isEmpty || count > 18 { return nil }
    var result: UInt64 = 0
    for byte in bytes {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      result = result &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
    }
    return result
  }

  /// The text on one line of printable ASCII: `\n`, `\r`, `\t`, `\\`, and `\xNN` for the rest.
  var escaped: Text {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): result += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
      case UInt8(ascii: "\r"): result += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
      case UInt8(ascii: "\t"): result += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
      case UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
      case 0x20...0x7e: result.append(byte)
      default:
        result += [
          UInt8(ascii: "\\"), UInt8(ascii: "x"), hexadecimalDigit(byte >> 4), hexadecimalDigit(byte & 15),
        ]
      }
    }
    return Text(result)
  }

  /// The text with `%XX` and `+` decoded, as in a query string.
  var percentDecoded: Text {
    let source = bytes
    var result: [UInt8] = []
    result.reserveCapacity(source.count)
    var offset = 0
    while offset < source.count {
      let byte = source[offset]
      if byte == UInt8(ascii: "%"), offset + 2 < source.count,
        let high = hexadecimalValue(source[offset + 1]), let low = hexadecimalValue(source[offset + 2])
      {
        result.append(high << 4 | low)
        offset += 3
      } else {
        result.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        offset += 1
      }
    }
    return Text(result)
  }

  /// A text of one byte many times.
  static func repeating(_ byte: UInt8, count: Int) -> Text {
    Text([UInt8](repeating: byte, count: count))
  }
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// A request's address, cut into the parts that a guest routes on.
struct Target {
  /// The path with its leading slash, as it came.
  let path: Text
  /// The query without its question mark, empty where there is none.
  let query: Text

  /// Cuts an absolute (`http://host/path?query`) or relative (`/path?query`) address.
  init(uri: Text) {
    var rest = uri
    if !rest.hasPrefix("/"), let colon = rest.firstIndex(of: UInt8(ascii: ":")), rest[colon...].hasPrefix("://") {
      rest = rest[(colon + 3)...]
      if let slash = rest.firstIndex(of: UInt8(ascii: "/")) { rest = rest[slash...] } else { rest = "/" }
    }
    if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
      path = rest[..<mark]
      query = rest[(mark + 1)...]
    } else {
      path = rest
      query = ""
    }
  }

  /// The path's pieces: `/a/b` has `a` and `b`, `/` has none.
  var segments: [Text] {
    path.split(separator: UInt8(ascii: "/")).filter { !$0.isEmpty }
  }

  /// The decoded value of a query parameter's first occurrence.
  subscript(name: Text) -> Text? {
    for pair in query.split(separator: UInt8(ascii: "&")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.count
      if pair[..<equals].percentDecoded == name {
        return equals < pair.count ? pair[(equals + 1)...].percentDecoded : ""
      }
    }
    return nil
  }

  /// A numeric query parameter.
  func number(_ name: Text, default fallback: Int) -> Int {
    guard let value = self[name]?.decimal else { return fallback }
    return Int(truncatingIfNeeded: value)
  }
}
