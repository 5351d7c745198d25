// The imports of `fastly_backend`: backend settings. Each function answers a `Status` code.

@_extern(wasm, module: "fastly_backend", name: "exists") @_extern(c, "fastly_backend_exists")
func hostBackendExists(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ backendExistsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "is_healthy") @_extern(c, "fastly_backend_is_healthy")
func hostBackendIsHealthy(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ backendHealthOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "is_dynamic") @_extern(c, "fastly_backend_is_dynamic")
func hostBackendIsDynamic(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ isDynamicOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_host") @_extern(c, "fastly_backend_get_host")
func hostBackendGetHost(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_override_host") @_extern(c, "fastly_backend_get_override_host")
func hostBackendGetOverrideHost(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ value: UnsafeMutablePointer<UInt8>?,
  _ valueMaxLen: UInt32, _ nwrittenOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_port") @_extern(c, "fastly_backend_get_port")
func hostBackendGetPort(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ portOut: UnsafeMutablePointer<UInt16>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_connect_timeout_ms")
@_extern(c, "fastly_backend_get_connect_timeout_ms")
func hostBackendGetConnectTimeoutMs(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutMsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_first_byte_timeout_ms")
@_extern(c, "fastly_backend_get_first_byte_timeout_ms")
func hostBackendGetFirstByteTimeoutMs(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutMsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_between_bytes_timeout_ms")
@_extern(c, "fastly_backend_get_between_bytes_timeout_ms")
func hostBackendGetBetweenBytesTimeoutMs(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutMsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_http_keepalive_time")
@_extern(c, "fastly_backend_get_http_keepalive_time")
func hostBackendGetHttpKeepaliveTime(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutMsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_tcp_keepalive_enable")
@_extern(c, "fastly_backend_get_tcp_keepalive_enable")
func hostBackendGetTcpKeepaliveEnable(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ isKeepaliveOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_tcp_keepalive_interval")
@_extern(c, "fastly_backend_get_tcp_keepalive_interval")
func hostBackendGetTcpKeepaliveInterval(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutSecsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_tcp_keepalive_probes")
@_extern(c, "fastly_backend_get_tcp_keepalive_probes")
func hostBackendGetTcpKeepaliveProbes(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ probeCountOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_tcp_keepalive_time")
@_extern(c, "fastly_backend_get_tcp_keepalive_time")
func hostBackendGetTcpKeepaliveTime(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ timeoutSecsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "is_ssl") @_extern(c, "fastly_backend_is_ssl")
func hostBackendIsSsl(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ isSslOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_ssl_min_version") @_extern(c, "fastly_backend_get_ssl_min_version")
func hostBackendGetSslMinVersion(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ tlsVersionOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_ssl_max_version") @_extern(c, "fastly_backend_get_ssl_max_version")
func hostBackendGetSslMaxVersion(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ tlsVersionOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "is_ipv6_preferred") @_extern(c, "fastly_backend_is_ipv6_preferred")
func hostBackendIsIpv6Preferred(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ isIpv6PreferredOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_max_connections") @_extern(c, "fastly_backend_get_max_connections")
func hostBackendGetMaxConnections(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ maxConnectionsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_max_use") @_extern(c, "fastly_backend_get_max_use")
func hostBackendGetMaxUse(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ maxUseOut: UnsafeMutablePointer<UInt32>?
) -> UInt32

@_extern(wasm, module: "fastly_backend", name: "get_max_lifetime_ms") @_extern(c, "fastly_backend_get_max_lifetime_ms")
func hostBackendGetMaxLifetimeMs(
  _ backendPtr: UnsafePointer<UInt8>?, _ backendLen: UInt32, _ maxLifetimeMsOut: UnsafeMutablePointer<UInt32>?
) -> UInt32
