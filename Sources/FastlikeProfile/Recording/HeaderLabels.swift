/// The labels of the header names that were used last, by the bytes that guests give: a program asks for the same few headers in
/// each request, and to look one up costs a tenth of making its label.
struct HeaderLabels {
  /// A name of up to 16 bytes, with zeros behind.
  private typealias Key = SIMD2<UInt64>

  private struct Known {
    var key = Key()
    var label = TraceLabel.none
  }

  private var known: [Known] = []
  /// A power of 2.
  private static let places = 16

  /// The label of a header's name.
  mutating func label(of name: UnsafeRawBufferPointer) -> TraceLabel {
    guard let key = Self.key(of: name) else { return TraceLabel(headerName: name) }
    if known.isEmpty { known = Array(repeating: Known(), count: Self.places) }
    let place = Int(truncatingIfNeeded: ((key.x ^ key.y) &* 0x9E37_79B9_7F4A_7C15) >> 60)
    if known[place].key != key { known[place] = Known(key: key, label: TraceLabel(headerName: name)) }
    return known[place].label
  }

  /// Nil for a name that is too long. One without a byte, or with zeros at its end, has no key of its own.
  private static func key(of name: UnsafeRawBufferPointer) -> Key? {
    guard (1...MemoryLayout<Key>.size).contains(name.count), name[name.count - 1] != 0 else { return nil }
    var key = Key()
    withUnsafeMutableBytes(of: &key) { $0.copyMemory(from: name) }
    return key
  }
}
