/// What a KV store holds when the service starts.
public struct KVStoreSeed: Sendable, Equatable {
  /// One entry.
  public struct Item: Sendable, Equatable {
    public var value: [UInt8]
    public var metadata: String?

    public init(value: [UInt8], metadata: String? = nil) {
      self.value = value
      self.metadata = metadata
    }
  }

  public var items: [String: Item]

  public init(items: [String: Item] = [:]) { self.items = items }

  /// What every error about a key says.
  static let keyRule =
    "a key has 1 to 1024 bytes, does not start with .well-known/acme-challenge, holds no ./ or ../ segment and none of CR, "
    + "LF, # ; ? ^ |"

  /// Whether a store accepts the key.
  public static func isValid(key: String) -> Bool {
    let bytes = key.utf8
    guard (1...1024).contains(bytes.count), !key.hasPrefix(".well-known/acme-challenge"), key != ".", key != "..",
      !key.hasSuffix("/."), !key.hasSuffix("/.."), !bytes.contains(where: { "\r\n#;?^|".utf8.contains($0) })
    else { return false }
    var previous: UInt8 = 0
    for byte in bytes {
      if previous == UInt8(ascii: "."), byte == UInt8(ascii: "/") { return false }
      previous = byte
    }
    guard let only = key.unicodeScalars.first, key.unicodeScalars.count == 1 else { return true }
    return only.value > 0x20 && only.value != 0xFFFE && only.value != 0xFFFF
  }
}
