#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An IP address as its 4 or 16 octets in network order.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
  public let octets: [UInt8]

  /// Nil unless there are 4 or 16 octets.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 4 || octets.count == 16 else { return nil }
    self.octets = Array(octets)
  }

  /// Reads `192.0.2.1` or `2001:db8::1`, without brackets, port or zone.
  public init?(_ text: String) {
    var octets = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &octets) == 1 {
      self.octets = Array(octets[..<4])
    } else if inet_pton(AF_INET6, text, &octets) == 1 {
      self.octets = octets
    } else {
      return nil
    }
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    octets.count == 4 ? octets[0] == 127 : octets == [UInt8](repeating: 0, count: 15) + [1]
  }

  /// The text form, for IPv6 the one of RFC 5952.
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = octets.count == 4 ? AF_INET : AF_INET6
    guard inet_ntop(family, octets, &text, socklen_t(text.count)) != nil else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A block of addresses in CIDR notation.
public struct IPPrefix: Sendable, Hashable, CustomStringConvertible {
  /// The block's first address: bits behind the prefix are 0.
  public let address: IPAddress
  /// 0…32 for IPv4, 0…128 for IPv6.
  public let bitCount: Int

  /// Nil when the address has fewer than `bitCount` bits. Bits behind the prefix are cleared.
  public init?(_ address: IPAddress, bitCount: Int) {
    guard bitCount >= 0, bitCount <= address.octets.count * 8 else { return nil }
    let octets = address.octets.enumerated().map { position, octet in
      octet & ~UInt8(truncatingIfNeeded: 0xFF >> max(0, min(8, bitCount - position * 8)))
    }
    guard let first = IPAddress(octets: octets) else { return nil }
    self.address = first
    self.bitCount = bitCount
  }

  /// Reads `192.0.2.0/24`; an address without a length is not a prefix.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), !parts[1].isEmpty,
      parts[1].utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let bitCount = Int(parts[1])
    else { return nil }
    self.init(address, bitCount: bitCount)
  }

  /// Whether the address is of the same family and in the block; a v4-mapped IPv6 address is IPv6.
  public func contains(_ address: IPAddress) -> Bool {
    address.octets.count == self.address.octets.count && IPPrefix(address, bitCount: bitCount) == self
  }

  /// The block's first address and its length, `192.0.2.0/24`.
  public var description: String { "\(address)/\(bitCount)" }
}
