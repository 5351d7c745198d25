/// What a guest says of a backend that it registers. A field that is nil is not said.
struct DynamicBackend {
  /// The options that are bits only, by their number in the ABI's mask.
  enum Flag: UInt32 {
    case usesTLS = 5
    case isNotPooled = 12
    case isGRPC = 14
    case prefersIPv4 = 17
  }

  /// A probe of the backend's health.
  struct HealthCheck {
    var host: Text
    var path: Text = "/"
    var method: Text = "GET"
    var expectedStatus: UInt32 = 200
    var intervalMilliseconds: UInt64 = 15_000
    var timeoutMilliseconds: UInt64 = 5_000
    var window: UInt32 = 5
    var threshold: UInt32 = 3
    var initial: UInt32 = 4
  }

  var flags: [Flag] = []
  /// Milliseconds; also the next one.
  var connectTimeout: UInt32?
  var keepalive: UInt32?
  /// Seconds of silence, seconds between probes, probes.
  var tcpKeepalive: (time: UInt32, interval: UInt32, probes: UInt32)?
  /// Connections, uses of each, milliseconds of each; 0 is no limit.
  var limits: (connections: UInt32, uses: UInt32, lifetime: UInt32)?
  var healthCheck: HealthCheck?

  /// The ABI's struct in words, and the bits of the fields in it.
  private var words: (mask: UInt32, config: [UInt32]) {
    var mask: UInt32 = 0
    var config: [UInt32] = Array(repeating: 0, count: 27)
    for flag in flags { mask |= 1 << flag.rawValue }
    if let connectTimeout {
      mask |= 1 << 2
      config[2] = connectTimeout
    }
    if keepalive != nil || tcpKeepalive != nil {
      mask |= 1 << 15
      config[18] = keepalive ?? 0
      if let tcpKeepalive {
        config[19] = 1
        config[20] = tcpKeepalive.interval
        config[21] = tcpKeepalive.probes
        config[22] = tcpKeepalive.time
      }
    }
    if let limits {
      mask |= 1 << 16
      config[23] = limits.connections
      config[24] = limits.uses
      config[25] = limits.lifetime
    }
    return (mask, config)
  }

  func register(_ name: Text, target: Text) throws(Status) {
    var (mask, config) = words
    guard let healthCheck else {
      return try check(call(name, target, mask, config))
    }
    mask |= 1 << 18
    let code = healthCheck.host.withBytes { host, hostCount in
      healthCheck.method.withBytes { method, methodCount in
        healthCheck.path.withBytes { path, pathCount in
          // Two numbers of 64 bits, then words.
          let record: [UInt64] = [
            healthCheck.intervalMilliseconds, healthCheck.timeoutMilliseconds, pair(address(host), hostCount),
            pair(address(method), methodCount), pair(address(path), pathCount),
            pair(healthCheck.expectedStatus, healthCheck.window), pair(healthCheck.threshold, healthCheck.initial),
          ]
          return record.withUnsafeBytes { bytes in
            config[26] = UInt32(UInt(bitPattern: bytes.baseAddress))
            return call(name, target, mask, config)
          }
        }
      }
    }
    try check(code)
  }

  private func call(_ name: Text, _ target: Text, _ mask: UInt32, _ config: [UInt32]) -> UInt32 {
    name.withBytes { name, nameCount in
      target.withBytes { target, targetCount in
        config.withUnsafeBufferPointer {
          hostRequestRegisterDynamicBackend(name, nameCount, target, targetCount, mask, $0.baseAddress)
        }
      }
    }
  }

  private func address(_ pointer: UnsafePointer<UInt8>?) -> UInt32 { UInt32(UInt(bitPattern: pointer)) }

  private func pair(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
}
