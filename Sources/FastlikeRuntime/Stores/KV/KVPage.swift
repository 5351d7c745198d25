import Foundation

/// One page of a listing.
struct KVPage: Sendable, Equatable {
  var keys: [[UInt8]]
  /// As the guest asked for it, or the default.
  var limit: UInt32
  var prefix: String?
  /// Whether keys follow behind the last one.
  var hasMore = false

  init(keys: [[UInt8]] = [], limit: UInt32, prefix: String? = nil) {
    self.keys = keys
    self.limit = limit
    self.prefix = prefix
  }

  /// A page without keys.
  init(of query: KVListQuery) { self.init(limit: query.shownLimit, prefix: query.prefix) }

  /// The JSON object that a guest reads.
  var json: [UInt8] {
    var text = Array(#"{"data":["#.utf8)
    for (index, key) in keys.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      KVPage.quote(key, into: &text)
    }
    text += Array(#"],"meta":{"limit":\#(limit)"#.utf8)
    if let prefix {
      text += Array(#","prefix":"#.utf8)
      KVPage.quote(Array(prefix.utf8), into: &text)
    }
    if hasMore, let last = keys.last {
      text += Array(#","next_cursor":"\#(Data(last).base64EncodedString())""#.utf8)
    }
    return text + Array("}}".utf8)
  }

  /// The key that a cursor stands for; nil when it is none.
  static func key(fromCursor cursor: String) -> [UInt8]? { Data(base64Encoded: cursor).map { Array($0) } }

  private static func quote(_ bytes: [UInt8], into text: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    text.append(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0..<0x20: text += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
