/// The Huffman code of HPACK (RFC 7541 §5.2); only what clients send is decoded, because responses are not compressed.
///
/// The code is canonical: among symbols in the order of their lengths, each code follows from the one before. So the
/// lengths of Appendix B are the whole table.
struct HPACKHuffman: Sendable {
  static let standard = HPACKHuffman()

  /// Bits of each symbol's code: 256 bytes, then the end of the string.
  private static let lengths: [UInt8] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5,
    6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22,
    23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
    22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26,
    26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27,
    27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27,
    27, 27, 27, 27, 26, 30,
  ]

  private static let endOfString: UInt16 = 256
  private static let longest = 30
  /// Codes up to this length are looked up in one step; they are all that ordinary text consists of.
  private static let shortBits = 9

  /// Symbol and length (lower four bits) by the next nine bits; 0 where the code is longer.
  private var short = [UInt16](repeating: 0, count: 1 << shortBits)
  /// By length: the first code, how many there are, and where their symbols begin.
  private var firstCode = [UInt32](repeating: 0, count: longest + 1)
  private var count = [UInt32](repeating: 0, count: longest + 1)
  private var offset = [Int](repeating: 0, count: longest + 1)
  private var symbols: [UInt16] = []

  private init() {
    var code: UInt32 = 0
    for length in 1...Self.longest {
      code <<= 1
      firstCode[length] = code
      offset[length] = symbols.count
      for (symbol, bits) in Self.lengths.enumerated() where bits == length {
        symbols.append(UInt16(symbol))
        count[length] += 1
        if length <= Self.shortBits {
          let spare = Self.shortBits - length
          let first = Int(code) << spare
          for place in first..<first + 1 << spare { short[place] = UInt16(symbol) << 4 | UInt16(length) }
        }
        code += 1
      }
    }
  }

  /// Appends the decoded text; false where it is not valid: a code of the end of the string, or padding that is longer
  /// than seven bits or has a zero.
  func decode(_ bytes: Span<UInt8>, into text: inout [UInt8]) -> Bool {
    // The next bits stand at the upper end.
    var window: UInt64 = 0
    var bits = 0
    var index = 0
    while true {
      while bits <= 56, index < bytes.count {
        window |= UInt64(bytes[index]) << UInt64(56 - bits)
        bits += 8
        index += 1
      }
      guard let (symbol, length) = next(window), length <= bits else {
        return bits < 8 && (bits == 0 || ~window >> UInt64(64 - bits) == 0)
      }
      guard symbol != Self.endOfString else { return false }
      text.append(UInt8(symbol))
      window <<= UInt64(length)
      bits -= length
    }
  }

  @inline(__always)
  private func next(_ window: UInt64) -> (symbol: UInt16, length: Int)? {
    let entry = short[Int(window >> UInt64(64 - Self.shortBits))]
    if entry != 0 { return (entry >> 4, Int(entry & 15)) }
    for length in (Self.shortBits + 1)...Self.longest {
      let place = UInt32(window >> UInt64(64 - length)) &- firstCode[length]
      if place < count[length] { return (symbols[offset[length] + Int(place)], length) }
    }
    return nil
  }
}
