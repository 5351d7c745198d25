import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How many connections a backend gets, and how long each of them is used. Nil and 0 are no limit.
public struct ConnectionLimits: Sendable, Hashable {
  /// Connections at the same time, in the whole process.
  public var maximumConnections: UInt32?
  /// Requests for each connection.
  public var maximumUses: UInt32?
  /// Milliseconds from its opening during which a connection may begin another request.
  public var maximumLifetimeMilliseconds: UInt32?

  public init() {}

  /// Whether a connection of this age that has served so many requests may serve another.
  func allowsReuse(uses: Int, age: TimeAmount) -> Bool {
    if let maximumUses, maximumUses > 0, uses >= Int(maximumUses) { return false }
    guard let limit = maximumLifetimeMilliseconds, limit > 0 else { return true }
    return age < .milliseconds(Int64(limit))
  }
}

/// The system's probes on idle connections (RFC 9293 §3.8.4). 0 leaves a value to the system.
public struct TCPKeepalive: Sendable, Hashable {
  /// Seconds without traffic before the first probe.
  public var seconds: UInt32
  /// Seconds between probes.
  public var intervalSeconds: UInt32
  /// Probes without an answer that end the connection.
  public var probes: UInt32

  public init(seconds: UInt32, intervalSeconds: UInt32, probes: UInt32) {
    self.seconds = seconds
    self.intervalSeconds = intervalSeconds
    self.probes = probes
  }

  /// The socket's options with their values; values beyond what Linux takes (32,767 seconds, 127 probes) are cut to that.
  var socketOptions: [(option: ChannelOptions.Types.SocketOption, value: Int)] {
    #if canImport(Darwin)
      let idle = TCP_KEEPALIVE
    #else
      let idle = TCP_KEEPIDLE
    #endif
    var options: [(ChannelOptions.Types.SocketOption, Int)] = [(.socketOption(.so_keepalive), 1)]
    for (name, value, limit) in [
      (idle, seconds, 32_767), (TCP_KEEPINTVL, intervalSeconds, 32_767), (TCP_KEEPCNT, probes, 127),
    ] where value > 0 {
      options.append((.tcpOption(NIOBSDSocket.Option(rawValue: name)), Int(min(value, UInt32(limit)))))
    }
    return options
  }
}
