/// Names outside of ASCII as Rust's symbols write them (RFC 3492 with `_` for the delimiter).
enum Punycode {
  static func decoded(_ bytes: ArraySlice<UInt8>) -> String? {
    var scalars: [Unicode.Scalar] = []
    var rest = bytes
    if let delimiter = bytes.lastIndex(of: UInt8(ascii: "_")) {
      scalars = bytes[..<delimiter].map { Unicode.Scalar($0) }
      rest = bytes[(delimiter + 1)...]
    }
    var code = 0x80
    var index = 0
    var bias = 72
    var isFirst = true
    while !rest.isEmpty {
      let before = index
      var weight = 1
      var threshold = 36
      while true {
        guard let byte = rest.popFirst(), let digit = digit(byte) else { return nil }
        index += digit * weight
        let least = min(max(threshold - bias, 1), 26)
        if digit < least { break }
        weight *= 36 - least
        threshold += 36
        guard index < 1 << 31, weight < 1 << 31 else { return nil }
      }
      bias = adapted(index - before, count: scalars.count + 1, isFirst: isFirst)
      isFirst = false
      code += index / (scalars.count + 1)
      index %= scalars.count + 1
      guard code <= 0x10FFFF, let scalar = Unicode.Scalar(UInt32(code)) else { return nil }
      scalars.insert(scalar, at: index)
      index += 1
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a"))
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 26
    default: nil
    }
  }

  private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
    var delta = isFirst ? delta / 700 : delta / 2
    delta += delta / count
    var result = 0
    while delta > 455 {
      delta /= 35
      result += 36
    }
    return result + 36 * delta / (delta + 38)
  }
}
