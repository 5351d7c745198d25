/// Values by address block; the longest block that an address is in counts.
///
/// A look-up asks once for each length that occurs, so lists of many thousand blocks are as fast as short ones.
struct PrefixTable<Value: Sendable & Equatable>: Sendable, Equatable {
  private var values: [IPPrefix: Value] = [:]
  /// The lengths that occur, longest first, of IPv4 and of IPv6.
  private var lengths4: [Int] = []
  private var lengths6: [Int] = []

  init() {}

  /// Gives a block its value; of several values for one block the last counts.
  mutating func insert(_ value: Value, for prefix: IPPrefix) {
    values[prefix] = value
    if prefix.address.octets.count == 4 {
      Self.note(prefix.bitCount, in: &lengths4)
    } else {
      Self.note(prefix.bitCount, in: &lengths6)
    }
  }

  private static func note(_ length: Int, in lengths: inout [Int]) {
    guard !lengths.contains(length) else { return }
    lengths.insert(length, at: lengths.firstIndex { $0 < length } ?? lengths.count)
  }

  func lookup(_ address: IPAddress) -> Value? {
    for length in address.octets.count == 4 ? lengths4 : lengths6 {
      if let prefix = IPPrefix(address, bitCount: length), let value = values[prefix] { return value }
    }
    return nil
  }
}
