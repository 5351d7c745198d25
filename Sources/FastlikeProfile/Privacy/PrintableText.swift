/// Makes names from outside safe to keep and to print: bounded, and without control characters that would steer a
/// terminal.
enum PrintableText {
  static func bounded(_ text: String, to limit: Int) -> String {
    isPlain(text, to: limit) ? text : bounded(text.utf8, to: limit)
  }

  private static func isPlain(_ text: String, to limit: Int) -> Bool {
    text.utf8.count <= limit && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  static func bounded(_ bytes: some Collection<UInt8>, to limit: Int) -> String {
    if bytes.count <= limit, !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      return String(decoding: bytes, as: UTF8.self)
    }
    var kept = Array(bytes.prefix(limit))
    if kept.count < bytes.count {
      // A cut inside of a character takes the character with it.
      while let last = kept.last, last & 0xC0 == 0x80 { kept.removeLast() }
      if let last = kept.last, last >= 0xC0 { kept.removeLast() }
    }
    for index in kept.indices where kept[index] < 0x20 || kept[index] == 0x7F { kept[index] = UInt8(ascii: "_") }
    return String(decoding: kept, as: UTF8.self)
  }

  /// A method is a short token; anything else was not sent by a client that means well.
  static func method(_ text: String) -> String { bounded(text, to: maximumMethodBytes) }

  private static let maximumMethodBytes = 32
}

extension Array {
  /// A copy whose storage is no larger than its contents.
  func exactCopy() -> [Element] {
    guard capacity > count else { return self }
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      initialized = withUnsafeBufferPointer { buffer.initialize(fromContentsOf: $0) }
    }
  }
}
