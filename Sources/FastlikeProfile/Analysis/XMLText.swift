/// Text as it stands in XML, in content as well as in quoted attributes (XML 1.0 §2.2, §2.4).
enum XMLText {
  /// Escapes what has a meaning in XML; characters that XML cannot hold become U+FFFD.
  static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: needsWork) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Bytes of ASCII that are written differently, and the beginnings of everything else.
  private static func needsWork(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
    case 0..<0x20, 0x7F...: true
    default: false
    }
  }
}
