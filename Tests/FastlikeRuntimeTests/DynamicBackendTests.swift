import ComputeABI
import FastlikeProfile
import Testing

@testable import FastlikeRuntime

/// Backends that guests register.
@Suite struct DynamicBackendTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// A definition of `origin.test:8080`, changed and checked. The secret 7 is a key and 8 is not.
  private func make(
    target: String = "origin.test:8080", _ change: (inout DynamicBackendDefinition) -> Void = { _ in }
  ) throws(Status) -> BackendDefinition {
    var registered = DynamicBackendDefinition(name: Self.bytes("dyn"), target: Self.bytes(target))
    change(&registered)
    return try registered.checked { handle in
      switch handle.rawValue {
      case 7: Self.bytes(TestCertificates.originKey)
      case 8: Self.bytes("no key")
      default: nil
      }
    }
  }

  // MARK: Name and target

  @Test func `a backend without options is a plain dynamic one`() throws {
    var expected = BackendDefinition(name: "dyn", host: "origin.test", port: 8080, usesTLS: false)
    expected.isDynamic = true
    #expect(try make() == expected)
  }

  @Test func `the port is the scheme's own where the target has none`() throws {
    #expect(try make(target: "origin.test").port == 80)
    #expect(try make(target: "origin.test") { $0.usesTLS = true }.port == 443)
  }

  @Test func `an IPv6 address stands in brackets`() throws {
    let backend = try make(target: "[::1]:81")
    #expect(backend.host == "::1")
    #expect(backend.port == 81)
  }

  @Test(arguments: [
    "", "http://origin.test", "origin.test/path", "origin.test/", "user@origin.test", "origin.test:0",
    "origin.test:65536", "origin.test:", "::1", "origin test", "origin.test?q", "origin.test#f",
    String(repeating: "a", count: 1025),
  ])
  func `a target that is no authority is an error`(target: String) {
    #expect(throws: Status.error) { try make(target: target) }
  }

  @Test(arguments: [[], [0xFF], [UInt8](repeating: 0x61, count: 65_537)])
  func `a name that is empty, too long or not UTF-8 is invalid`(name: [UInt8]) {
    #expect(throws: Status.inval) { try make { $0.name = name } }
  }

  // MARK: Host override

  @Test func `the host override is the value of Host`() throws {
    #expect(try make { $0.hostOverride = Self.bytes("other.test") }.overrideHost == "other.test")
  }

  @Test(arguments: [0, 1025]) func `a host override has from 1 to 1024 bytes`(count: Int) {
    #expect(throws: Status.inval) { try make { $0.hostOverride = [UInt8](repeating: 0x61, count: count) } }
  }

  @Test(arguments: [0x0A, 0x00, 0x7F, 0xFF] as [UInt8])
  func `a host override that is no header value is an error`(byte: UInt8) {
    #expect(throws: Status.error) { try make { $0.hostOverride = [0x61, byte] } }
  }

  // MARK: Timeouts and pooling

  @Test func `each timeout is kept, zero too`() throws {
    let backend = try make {
      $0.connectTimeout = 1
      $0.firstByteTimeout = 0
      $0.betweenBytesTimeout = .max
    }
    #expect(backend.connectTimeoutMilliseconds == 1)
    #expect(backend.firstByteTimeoutMilliseconds == 0)
    #expect(backend.betweenBytesTimeoutMilliseconds == .max)
  }

  @Test func `a guest can forbid pooling`() throws {
    #expect(try make().isPooled)
    #expect(try !make { $0.isPooled = false }.isPooled)
  }

  @Test func `a keepalive of zero is the default`() throws {
    #expect(try make { $0.keepalive = 250 }.keepaliveMilliseconds == 250)
    #expect(try make { $0.keepalive = 0 }.keepaliveMilliseconds == nil)
  }

  @Test func `grpc is kept`() throws { #expect(try make { $0.isGRPC = true }.isGRPC) }

  // MARK: TLS

  @Test func `versions and ciphers are kept`() throws {
    let backend = try make {
      $0.minimumTLSVersion = .tls11
      $0.maximumTLSVersion = .tls12
      $0.ciphers = Self.bytes("ECDHE-RSA-AES128-GCM-SHA256")
    }
    #expect(backend.minimumTLSVersion == .tls11)
    #expect(backend.maximumTLSVersion == .tls12)
    #expect(backend.ciphers == "ECDHE-RSA-AES128-GCM-SHA256")
  }

  @Test func `SNI and the certificate's name may differ`() throws {
    let backend = try make {
      $0.certificateHost = Self.bytes("cert.test")
      $0.sniHost = Self.bytes("sni.test")
    }
    #expect(backend.certificateHost == "cert.test")
    #expect(backend.sniHost == "sni.test")
    #expect(backend.sendsSNI)
  }

  @Test func `SNI alone is the certificate's name too`() throws {
    #expect(try make { $0.sniHost = Self.bytes("sni.test") }.certificateHost == "sni.test")
  }

  @Test func `an empty SNI turns it off`() throws {
    let backend = try make { $0.sniHost = [] }
    #expect(!backend.sendsSNI)
    #expect(backend.certificateHost == nil)
  }

  @Test func `an SNI over 1024 bytes is invalid`() {
    #expect(throws: Status.inval) { try make { $0.sniHost = [UInt8](repeating: 0x61, count: 1025) } }
  }

  @Test(arguments: [0, 1025]) func `a certificate's name has from 1 to 1024 bytes`(count: Int) {
    #expect(throws: Status.inval) { try make { $0.certificateHost = [UInt8](repeating: 0x61, count: count) } }
  }

  @Test func `roots replace the system's`() throws {
    let backend = try make {
      $0.usesTLS = true
      $0.certificateAuthorities = Self.bytes(TestCertificates.root)
    }
    #expect(backend.certificateAuthoritiesPEM == [TestCertificates.root])
  }

  @Test(arguments: ["", "no certificate", String(repeating: "a", count: 65_537)])
  func `roots that are none are invalid`(pem: String) {
    #expect(throws: Status.inval) {
      try make {
        $0.usesTLS = true
        $0.certificateAuthorities = Self.bytes(pem)
      }
    }
  }

  @Test func `roots are not looked at without TLS`() throws {
    #expect(try make { $0.certificateAuthorities = [] }.certificateAuthoritiesPEM.isEmpty)
  }

  private func make(certificate: String, key: UInt32) throws(Status) -> BackendDefinition {
    try make {
      $0.usesTLS = true
      $0.clientIdentity = DynamicBackendDefinition.ClientIdentity(
        certificate: Self.bytes(certificate), key: SecretHandle(rawValue: key))
    }
  }

  @Test func `a client certificate's key is a secret`() throws {
    let backend = try make(certificate: TestCertificates.origin, key: 7)
    #expect(
      backend.clientCertificate
        == ClientCertificate(certificatePEM: TestCertificates.origin, keyPEM: TestCertificates.originKey))
  }

  @Test func `a key that is no secret's handle is a bad handle`() {
    #expect(throws: Status.badf) { try make(certificate: TestCertificates.origin, key: 99) }
  }

  @Test func `a secret that is no key is invalid`() {
    #expect(throws: Status.inval) { try make(certificate: TestCertificates.origin, key: 8) }
  }

  @Test func `a client certificate that is none is invalid`() {
    #expect(throws: Status.inval) { try make(certificate: "no certificate", key: 7) }
  }

  // MARK: Health check

  private func probe(
    _ change: (inout DynamicBackendDefinition.HealthCheck) -> Void
  ) throws(Status) -> FastlikeRuntime.HealthCheck? {
    var check = DynamicBackendDefinition.HealthCheck()
    check.host = Self.bytes("h.example")
    change(&check)
    return try make { $0.healthCheck = check }.healthCheck
  }

  @Test func `a health check without words is the usual one`() throws {
    #expect(try probe { _ in } == FastlikeRuntime.HealthCheck(host: "h.example"))
    #expect(try probe { $0.expectedStatus = 204 }?.expectedStatus == 204)
    #expect(try probe { $0.method = Self.bytes("HEAD") }?.method == "HEAD")
    #expect(throws: Status.inval, "a path that is no text") { try probe { $0.path = [0xff] } }
    #expect(throws: Status.inval, "a status that is none") { try probe { $0.expectedStatus = 70_000 } }
  }

  @Test func `the limits of a health check themselves are allowed`() throws {
    _ = try probe {
      $0.path = [UInt8](repeating: 0x2f, count: 8192 - 9)
      $0.method = [UInt8](repeating: 0x41, count: 8192)
      ($0.window, $0.threshold, $0.initial) = (15, 15, 15)
      ($0.intervalMilliseconds, $0.timeoutMilliseconds) = (1000, 3_599_999)
    }
  }

  @Test func `what lies beyond the limits of a health check is invalid`() {
    #expect(throws: Status.inval, "no host") { try probe { $0.host = [] } }
    let long = [UInt8](repeating: 0x41, count: 8193)
    #expect(throws: Status.inval, "host and path") { try probe { $0.path = Array(long.prefix(8192 - 8)) } }
    #expect(throws: Status.inval, "method") { try probe { $0.method = long } }
    #expect(throws: Status.inval, "window") { try probe { $0.window = 16 } }
    #expect(throws: Status.inval, "threshold") { try probe { $0.threshold = 6 } }
    #expect(throws: Status.inval, "initial") { try probe { $0.initial = 6 } }
    #expect(throws: Status.inval, "interval, short") { try probe { $0.intervalMilliseconds = 999 } }
    #expect(throws: Status.inval, "interval, long") { try probe { $0.intervalMilliseconds = 3_600_000 } }
    #expect(throws: Status.inval, "timeout, short") { try probe { $0.timeoutMilliseconds = 999 } }
    #expect(throws: Status.inval, "timeout, long") { try probe { $0.timeoutMilliseconds = .max } }
  }

  // MARK: The hostcall

  /// Runs calls of a guest that has `dyn` at 16, `localhost:81` at 32, `static` at 48 and at 128 a
  /// configuration with an override host (`localhost`) and a health check (at 256); gives the calls' statuses.
  private func statuses(of calls: String, in harness: GuestHarness = GuestHarness()) async throws -> [Int32] {
    try await run(calls, in: harness).trace.spans.map(\.status)
  }

  private func run(_ calls: String, in harness: GuestHarness = GuestHarness()) async throws -> GuestHarness.Outcome {
    let module = #"""
      (module
        (import "fastly_http_req" "register_dynamic_backend"
          (func $register (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "fastly_backend" "exists" (func $exists (param i32 i32 i32) (result i32)))
        (import "fastly_backend" "is_dynamic" (func $is_dynamic (param i32 i32 i32) (result i32)))
        (import "fastly_backend" "get_port" (func $get_port (param i32 i32 i32) (result i32)))
        (import "fastly_backend" "get_override_host" (func $get_override_host (param i32 i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "dyn") (data (i32.const 32) "localhost:81")
        (data (i32.const 48) "static")
        (data (i32.const 128) "\20\00\00\00\09\00\00\00")
        (data (i32.const 232) "\00\01\00\00")
        (func $add (param $name i32) (param $length i32) (param $mask i32) (param $configuration i32)
          (drop (call $register (local.get $name) (local.get $length) (i32.const 32) (i32.const 12)
            (local.get $mask) (local.get $configuration))))
        (func $dyn (param $mask i32)
          (call $add (i32.const 16) (i32.const 3) (local.get $mask) (i32.const 128)))
        (func $many (param $count i32)
          (loop $next
            (i32.store8 (i32.const 512) (i32.add (i32.const 48) (i32.shr_u (local.get $count) (i32.const 6))))
            (i32.store8 (i32.const 513) (i32.add (i32.const 48) (i32.and (local.get $count) (i32.const 63))))
            (call $add (i32.const 512) (i32.const 2) (i32.const 0) (i32.const 128))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $next (local.get $count))))
        (func (export "_start")
      """# + calls + "))"
    return try await harness.run(module)
  }

  @Test func `a registered backend answers the getters`() async throws {
    let outcome = try await run(
      """
      (call $dyn (i32.const 2))
      (drop (call $exists (i32.const 16) (i32.const 3) (i32.const 1024)))
      (if (i32.ne (i32.load (i32.const 1024)) (i32.const 1)) (then unreachable))
      (drop (call $is_dynamic (i32.const 16) (i32.const 3) (i32.const 1024)))
      (if (i32.ne (i32.load (i32.const 1024)) (i32.const 1)) (then unreachable))
      (drop (call $get_port (i32.const 16) (i32.const 3) (i32.const 1024)))
      (if (i32.ne (i32.load16_u (i32.const 1024)) (i32.const 81)) (then unreachable))
      (drop (call $get_override_host
        (i32.const 16) (i32.const 3) (i32.const 1032) (i32.const 64) (i32.const 1024)))
      (if (i32.ne (i32.load (i32.const 1024)) (i32.const 9)) (then unreachable))
      """)
    #expect(outcome.ending.isSuccess)
    #expect(outcome.trace.spans.map(\.status) == [0, 0, 0, 0, 0])
  }

  @Test func `a name is registered once`() async throws {
    #expect(try await statuses(of: "(call $dyn (i32.const 0)) (call $dyn (i32.const 0))") == [0, 1])
  }

  @Test func `the name of a configured backend is taken`() async throws {
    var harness = GuestHarness()
    harness.configuration.backends["static"] = BackendDefinition(
      name: "static", host: "static.test", port: 80, usesTLS: false)
    let call = "(call $add (i32.const 48) (i32.const 6) (i32.const 0) (i32.const 128))"
    #expect(try await statuses(of: call, in: harness) == [1])
  }

  @Test func `a catch-all neither takes a name nor hides a registered backend`() async throws {
    var harness = GuestHarness()
    harness.configuration.catchAllBackend = BackendDefinition(name: "", host: "rest.test", port: 80, usesTLS: false)
    let outcome = try await run(
      """
      (call $dyn (i32.const 0))
      (drop (call $is_dynamic (i32.const 16) (i32.const 3) (i32.const 1024)))
      (if (i32.ne (i32.load (i32.const 1024)) (i32.const 1)) (then unreachable))
      """, in: harness)
    #expect(outcome.ending.isSuccess)
    #expect(outcome.trace.spans.map(\.status) == [0, 0])
  }

  @Test func `reserved and unknown options are invalid`() async throws {
    #expect(try await statuses(of: "(call $dyn (i32.const 1)) (call $dyn (i32.const 0x80000))") == [2, 2])
  }

  @Test func `fields without their option are not touched`() async throws {
    let call = "(call $add (i32.const 16) (i32.const 3) (i32.const 0x1020) (i32.const 0xfffffff0))"
    #expect(try await statuses(of: call) == [0])
  }

  @Test func `a TLS version without a meaning is invalid`() async throws {
    let call = "(i32.store (i32.const 148) (i32.const 4)) (call $dyn (i32.const 64)) (call $dyn (i32.const 0))"
    #expect(try await statuses(of: call) == [2, 0])
  }

  @Test func `a health check is read from its own struct`() async throws {
    let statuses = try await statuses(
      of: """
        (call $dyn (i32.const 0x40000))
        (i64.store (i32.const 256) (i64.const 15000)) (i64.store (i32.const 264) (i64.const 5000))
        (i32.store (i32.const 272) (i32.const 32)) (i32.store (i32.const 276) (i32.const 9))
        (i32.store (i32.const 300) (i32.const 5)) (i32.store (i32.const 304) (i32.const 6))
        (call $dyn (i32.const 0x40000))
        (i32.store (i32.const 304) (i32.const 3))
        (call $dyn (i32.const 0x40000))
        """)
    #expect(statuses == [2, 2, 0])
  }

  @Test func `a guest registers at most 200 backends`() async throws {
    let statuses = try await statuses(of: "(call $many (i32.const 201))")
    #expect(statuses == [Int32](repeating: 0, count: 200) + [Int32(Status.limitexceeded.rawValue)])
  }
}
