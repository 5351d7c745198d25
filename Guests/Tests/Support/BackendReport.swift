/// Every setting of a backend, as its getters tell it.
extension Report {
  mutating func describe(_ backend: Text) {
    ask("exists", hostBackendExists, backend)
    ask("is_healthy", hostBackendIsHealthy, backend)
    ask("is_dynamic", hostBackendIsDynamic, backend)
    ask("host", capacity: 256, hostBackendGetHost, backend)
    ask("host_tiny", capacity: 1, hostBackendGetHost, backend)
    ask("override_host", capacity: 256, hostBackendGetOverrideHost, backend)
    text("port") { () throws(Status) in
      var port: UInt16 = 0
      try check(backend.withBytes { hostBackendGetPort($0, $1, &port) })
      return "\(port)"
    }
    ask("connect_timeout_ms", hostBackendGetConnectTimeoutMs, backend)
    ask("first_byte_timeout_ms", hostBackendGetFirstByteTimeoutMs, backend)
    ask("between_bytes_timeout_ms", hostBackendGetBetweenBytesTimeoutMs, backend)
    ask("http_keepalive_time", hostBackendGetHttpKeepaliveTime, backend)
    ask("tcp_keepalive_enable", hostBackendGetTcpKeepaliveEnable, backend)
    ask("tcp_keepalive_interval", hostBackendGetTcpKeepaliveInterval, backend)
    ask("tcp_keepalive_probes", hostBackendGetTcpKeepaliveProbes, backend)
    ask("tcp_keepalive_time", hostBackendGetTcpKeepaliveTime, backend)
    ask("is_ssl", hostBackendIsSsl, backend)
    ask("ssl_min_version", hostBackendGetSslMinVersion, backend)
    ask("ssl_max_version", hostBackendGetSslMaxVersion, backend)
    ask("is_ipv6_preferred", hostBackendIsIpv6Preferred, backend)
    ask("max_connections", hostBackendGetMaxConnections, backend)
    ask("max_use", hostBackendGetMaxUse, backend)
    ask("max_lifetime_ms", hostBackendGetMaxLifetimeMs, backend)
  }

  mutating func ask(
    _ name: Text, _ getter: (UnsafePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>?) -> UInt32, _ backend: Text
  ) {
    number(name) { () throws(Status) in
      var answer: UInt32 = 0
      try check(backend.withBytes { getter($0, $1, &answer) })
      return answer
    }
  }

  mutating func ask(
    _ name: Text, capacity: UInt32,
    _ getter: (
      UnsafePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt8>?, UInt32, UnsafeMutablePointer<UInt32>?
    ) -> UInt32,
    _ backend: Text
  ) {
    add(
      name,
      Reading.once(capacity: capacity) { buffer, capacity, written in
        backend.withBytes { getter($0, $1, buffer, capacity, written) }
      })
  }
}
