/// The names by which objects are purged together: visible ASCII, at most 1,024 bytes each and 16,384 with what separates
/// them.
struct SurrogateKeys: Hashable, Sendable {
  static let maximumBytes = 16_384
  static let maximumKeyBytes = 1024

  /// Each once, in the order in which they were given.
  let keys: [String]

  init() { keys = [] }

  /// Keys separated by spaces; nil when one is not allowed or there are too many bytes.
  init?(parsing text: some Collection<UInt8>) {
    guard text.count <= SurrogateKeys.maximumBytes else { return nil }
    var seen: Set<String> = []
    var keys: [String] = []
    for word in text.split(separator: UInt8(ascii: " ")) {
      guard let key = SurrogateKeys.key(word) else { return nil }
      if seen.insert(key).inserted { keys.append(key) }
    }
    self.keys = keys
  }

  /// One key; nil when it is not allowed.
  static func key(_ bytes: some Collection<UInt8>) -> String? {
    guard (1...maximumKeyBytes).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  var byteCount: Int { keys.reduce(0) { $0 + $1.utf8.count } }
}
