extension String {
  /// The text that these bytes are in UTF-8; nil where they are none.
  ///
  /// What `String(validating:as:)` gives. That one is not specialized for memory and takes some 40 ns more, which each request's target
  /// and each name that a guest gives would pay for; nearly all of them are ASCII, which is easily seen.
  public init?(validUTF8 bytes: UnsafeRawBufferPointer) {
    var bits: UInt8 = 0
    for byte in bytes { bits |= byte }
    if bits < 0x80 {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init(validating: bytes, as: UTF8.self)
    }
  }
}
