internal import Synchronization

/// The name of a header: a number, as of a ``TracedModule``, for the names that programs use again and again.
///
/// The names are kept for the life of the process. Guests and clients choose them, so there is a limit to their number. What
/// ``HeaderRedaction`` lists has a number too; who reads a trace is not told its name.
struct TracedHeaderName: Hashable, BitwiseCopyable {
  /// The place in the list of all.
  let number: UInt32

  private static let table = Mutex(NumberTable<String>(maximum: 4096))

  /// Nil when there is no room for one more name.
  /// - Parameter name: In lower case.
  init?(_ name: String) {
    guard let number = Self.table.withLock({ $0.number(of: name) }) else { return nil }
    self.number = number
  }

  /// - Parameter number: That of a name.
  init(number: UInt32) { self.number = number }

  /// In lower case.
  var name: String { Self.table.withLock { $0[number] } }
}

/// The header names that were used last, by the bytes that guests and clients give: it is the same few in each request, and to look
/// one up costs a tenth of making its label.
struct HeaderNames {
  /// A name of up to 32 bytes, with zeros behind.
  private typealias Key = SIMD4<UInt64>

  private struct Known: BitwiseCopyable {
    var key = Key()
    var name = TracedHeaderName(number: 0)
  }

  private var known: [Known] = []
  /// A power of 2.
  private static let places = 64

  /// The number of a header's name; nil where it has none.
  mutating func name(of bytes: UnsafeRawBufferPointer) -> TracedHeaderName? {
    guard let key = Self.key(of: bytes) else { return TracedHeaderName(TraceLabel.loweredName(bytes)) }
    if known.isEmpty { known = Array(repeating: Known(), count: Self.places) }
    let words = (key.x &+ key.z &* 3) ^ (key.y &+ key.w &* 5)
    let place = Int(truncatingIfNeeded: (words &* 0x9E37_79B9_7F4A_7C15) >> 58)
    if known[place].key == key { return known[place].name }
    guard let name = TracedHeaderName(TraceLabel.loweredName(bytes)) else { return nil }
    known[place] = Known(key: key, name: name)
    return name
  }

  /// Nil for a name that is too long. One without a byte, or with zeros at its end, has no key of its own.
  private static func key(of name: UnsafeRawBufferPointer) -> Key? {
    guard (1...MemoryLayout<Key>.size).contains(name.count), name[name.count - 1] != 0 else { return nil }
    var key = Key()
    withUnsafeMutableBytes(of: &key) { $0.copyMemory(from: name) }
    return key
  }
}
