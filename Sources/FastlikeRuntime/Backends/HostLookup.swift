import ComputeABI
import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Finds the addresses of a backend's host.
enum HostLookup {
  /// How long the system's resolver may take. It cannot be interrupted, so a later answer is dropped.
  static let timeout = TimeAmount.seconds(5)

  /// The addresses that need no resolver: an IP literal's own, and both loopbacks for `localhost` and the names below it
  /// (RFC 6761 §6.3); nil for any other name.
  static func immediateAddresses(of host: String, port: UInt16, prefersIPv4: Bool = false) -> [SocketAddress]? {
    let name = host.lowercased()
    if name == "localhost" || name == "localhost." || name.hasSuffix(".localhost") {
      return (prefersIPv4 ? ["127.0.0.1", "::1"] : ["::1", "127.0.0.1"]).compactMap {
        try? SocketAddress(ipAddress: $0, port: Int(port))
      }
    }
    guard let address = try? SocketAddress(ipAddress: host, port: Int(port)) else { return nil }
    return [address]
  }

  /// Asks the system's resolver for A and AAAA records; blocks the thread.
  ///
  /// - Returns: Addresses in the order in which they are to be tried, at least one.
  /// - Throws: ``SendError/Tag/dnsError``.
  static func addresses(
    of host: String, port: UInt16, prefersIPv4: Bool = false
  ) throws(SendError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    #if canImport(Darwin) || canImport(Musl)
      hints.ai_socktype = SOCK_STREAM
    #else
      hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &list)
    guard code == 0 else { throw SendError(resolver: code) }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var entry = list
    while let info = entry?.pointee {
      // The resolver says how long each address is; an entry of another family or a shorter one is skipped.
      if let address = info.ai_addr {
        let raw = UnsafeRawPointer(address)
        if info.ai_family == AF_INET, Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in>.size {
          found.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in.self)))
        } else if info.ai_family == AF_INET6, Int(info.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size {
          found.append(SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self)))
        }
      }
      entry = info.ai_next
    }
    guard !found.isEmpty else { throw SendError(.dnsError) }
    return interleaved(found, prefersIPv4: prefersIPv4)
  }

  /// Alternates between the families, IPv6 first unless IPv4 is preferred, and keeps the resolver's order within each
  /// (RFC 8305 §4).
  static func interleaved(_ addresses: [SocketAddress], prefersIPv4: Bool = false) -> [SocketAddress] {
    let preferred = addresses.filter { ($0.protocol == .inet6) != prefersIPv4 }
    let others = addresses.filter { ($0.protocol == .inet6) == prefersIPv4 }
    var result: [SocketAddress] = []
    result.reserveCapacity(addresses.count)
    for index in 0..<max(preferred.count, others.count) {
      if index < preferred.count { result.append(preferred[index]) }
      if index < others.count { result.append(others[index]) }
    }
    return result
  }
}
