import NIOCore

/// Processes that several tests use, one for each guest, and the origin behind all of them.
///
/// They live until the suite's end. Their configuration is the same for every guest (``manifest(_:)``).
actor SharedEdges {
  private static let all = SharedEdges()

  private var edges: [String: Task<FastlikeProcess, any Error>] = [:]
  private var origins: Task<Origins, any Error>?

  /// What the backends of the shared configuration stand for.
  struct Origins: Sendable {
    let scripted: Origin
    let refusing: ReservedPort
  }

  /// The process that serves this guest.
  static func edge(_ guest: String) async throws -> FastlikeProcess { try await all.edge(guest) }

  /// The origin behind the backends `origin`, `other`, `prefixed` and `impatient`.
  static func origin() async throws -> Origin { try await all.start().scripted }

  /// The shared configuration, for a process of a test's own.
  static func manifestPath() async throws -> String { try await all.manifest() }

  private func edge(_ guest: String) async throws -> FastlikeProcess {
    if let known = edges[guest] { return try await known.value }
    let task = Task {
      let manifest = try await self.manifest()
      return try await FastlikeProcess.start(
        guest, ["-C", manifest, "--fake-fastly-key", "valid-key", "--compliance-region", "us-eu"])
    }
    edges[guest] = task
    return try await task.value
  }

  private func start() async throws -> Origins {
    if let origins { return try await origins.value }
    let task = Task { Origins(scripted: try await Origin.start(), refusing: try ReservedPort()) }
    origins = task
    return try await task.value
  }

  private func manifest() async throws -> String {
    let origins = try await start()
    let origin = origins.scripted.port
    return try temporaryFile(
      "fastly.toml",
      """
      [local_server.backends.origin]
      url = "http://127.0.0.1:\(origin)"
      [local_server.backends.other]
      url = "http://127.0.0.1:\(origin)"
      override_host = "override.example"
      health = "healthy"
      [local_server.backends.prefixed]
      url = "http://127.0.0.1:\(origin)/prefix/"
      [local_server.backends.impatient]
      url = "http://127.0.0.1:\(origin)"
      first_byte_timeout_ms = 600
      between_bytes_timeout_ms = 600
      health = "unhealthy"
      [local_server.backends.halting]
      url = "http://127.0.0.1:\(origin)"
      between_bytes_timeout_ms = 300
      [local_server.backends.refused]
      url = "http://127.0.0.1:\(origins.refusing.port)"
      [local_server.backends.nameless]
      url = "http://does-not-exist.invalid"
      [local_server.backends.secure]
      url = "https://secure.example/path"
      """)
  }
}
