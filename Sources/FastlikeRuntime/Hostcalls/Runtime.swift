import CTimestamp
import ComputeABI

/// `fastly_abi` and `fastly_compute_runtime`.
extension Sandbox {
  func abiInit(abiVersion: UInt64) throws(Status) {
    guard abiVersion == 1 else { throw .error }
  }

  func computeRuntimeGetVcpuMs() throws(Status) -> UInt64 {
    let running = pollStarted == 0 ? 0 : ctimestamp_monotonic() - pollStarted
    return (vcpuNanoseconds + running) / 1_000_000
  }

  func computeRuntimeGetHeapMib() throws(Status) -> UInt32 { UInt32((memory.byteCount + 0xfffff) >> 20) }

  func computeRuntimeGetSandboxId(sandboxId: GuestOutput) throws(Status) { try sandboxId.write(sandboxID) }

  func computeRuntimeGetTraceId(traceId: GuestOutput) throws(Status) { try traceId.write(served.id) }

  func computeRuntimeGetServiceVersion(serviceVersion: GuestOutput) throws(Status) {
    try serviceVersion.write(GuestEnvironment.serviceVersion)
  }

  func computeRuntimeGetHostname(hostname: GuestOutput) throws(Status) {
    try hostname.write(GuestEnvironment.hostname)
  }
}

/// The environment that every guest finds; the host's own is not passed on.
enum GuestEnvironment {
  static let hostname = "localhost"
  static let serviceVersion = "0"
  private static let noID = String(repeating: "0", count: 22)

  /// `NAME=value` for one request.
  static func variables(traceID: String) -> [String] {
    [
      "FASTLY_HOSTNAME=" + hostname, "FASTLY_TRACE_ID=" + traceID, "FASTLY_SERVICE_VERSION=" + serviceVersion,
      "FASTLY_SERVICE_ID=" + noID, "FASTLY_CUSTOMER_ID=" + noID, "FASTLY_CACHE_GENERATION=0", "FASTLY_POP=XXX",
      "FASTLY_REGION=Somewhere", "FASTLY_IS_STAGING=0",
    ]
  }
}
