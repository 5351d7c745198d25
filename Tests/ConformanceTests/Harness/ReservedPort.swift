import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A port of this machine where nobody listens: it is bound, so that nobody else gets it, and connecting to it is refused.
final class ReservedPort: Sendable {
  let port: Int
  private let descriptor: Int32

  init() throws { (descriptor, port) = try Self.bind() }

  deinit { close(descriptor) }

  fileprivate static func bind() throws -> (descriptor: Int32, port: Int) {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    guard descriptor >= 0 else { throw HarnessError("no socket: \(errno)") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        #if canImport(Darwin)
          Darwin.bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        #else
          Glibc.bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
        #endif
      }
    }
    guard isBound else { throw HarnessError("no free port: \(errno)") }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }
}

extension ReservedPort {
  /// Whether this machine can listen on `::1`.
  static var hasIPv6Loopback: Bool {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET6, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_addr = in6addr_loopback
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        #if canImport(Darwin)
          Darwin.bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
        #else
          Glibc.bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
        #endif
      }
    }
  }
}

/// A port that takes connections into its queue, which is full: on Linux further ones are not answered at all.
final class BlackHole: Sendable {
  let port: Int
  private let descriptor: Int32
  private let fillers: [Int32]

  init() throws {
    let (descriptor, port) = try ReservedPort.bind()
    self.descriptor = descriptor
    self.port = port
    listen(descriptor, 0)
    var fillers: [Int32] = []
    for _ in 0..<4 {
      let (filler, _) = try ReservedPort.bind()
      _ = fcntl(filler, F_SETFL, O_NONBLOCK)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      address.sin_port = in_port_t(port).bigEndian
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = connect(filler, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      fillers.append(filler)
    }
    self.fillers = fillers
  }

  deinit { for socket in fillers + [descriptor] { close(socket) } }
}
