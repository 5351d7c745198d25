import NIOCore

extension Channel {
  /// Has the connection end with RST, rather than FIN, when it is closed.
  func endWithReset() async throws {
    // On, and no time to send what is left. Two C integers; the record's initializer belongs to whichever C module
    // happens to be loaded first, so it is not used.
    let linger = unsafeBitCast((Int32(1), Int32(0)), to: NIOLinger.self)
    try await (self as? any SocketOptionProvider)?.setSoLinger(linger).get()
  }
}
