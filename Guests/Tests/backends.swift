// What a guest can ask about a backend: `/NAME` reports every setting of that backend.

@_cdecl("_start")
func start() {
  serve { (request, _) throws(Status) in
    let target = try request.target()
    try describe(target.segments.first ?? "").send()
  }
}

func describe(_ backend: Text) -> Report {
  var report = Report()
  report.ask("exists", hostBackendExists, backend)
  report.ask("is_healthy", hostBackendIsHealthy, backend)
  report.ask("is_dynamic", hostBackendIsDynamic, backend)
  report.ask("host", capacity: 256, hostBackendGetHost, backend)
  report.ask("host_tiny", capacity: 1, hostBackendGetHost, backend)
  report.ask("override_host", capacity: 256, hostBackendGetOverrideHost, backend)
  report.text("port") { () throws(Status) in
    var port: UInt16 = 0
    try check(backend.withBytes { hostBackendGetPort($0, $1, &port) })
    return "\(port)"
  }
  report.ask("connect_timeout_ms", hostBackendGetConnectTimeoutMs, backend)
  report.ask("first_byte_timeout_ms", hostBackendGetFirstByteTimeoutMs, backend)
  report.ask("between_bytes_timeout_ms", hostBackendGetBetweenBytesTimeoutMs, backend)
  report.ask("http_keepalive_time", hostBackendGetHttpKeepaliveTime, backend)
  report.ask("tcp_keepalive_enable", hostBackendGetTcpKeepaliveEnable, backend)
  report.ask("tcp_keepalive_interval", hostBackendGetTcpKeepaliveInterval, backend)
  report.ask("tcp_keepalive_probes", hostBackendGetTcpKeepaliveProbes, backend)
  report.ask("tcp_keepalive_time", hostBackendGetTcpKeepaliveTime, backend)
  report.ask("is_ssl", hostBackendIsSsl, backend)
  report.ask("ssl_min_version", hostBackendGetSslMinVersion, backend)
  report.ask("ssl_max_version", hostBackendGetSslMaxVersion, backend)
  report.ask("is_ipv6_preferred", hostBackendIsIpv6Preferred, backend)
  report.ask("max_connections", hostBackendGetMaxConnections, backend)
  report.ask("max_use", hostBackendGetMaxUse, backend)
  report.ask("max_lifetime_ms", hostBackendGetMaxLifetimeMs, backend)
  return report
}

extension Report {
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
