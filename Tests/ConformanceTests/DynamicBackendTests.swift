import Testing

/// Backends that guests register, and what their options do to connections.
@Suite("Conformance: dynamic backends", .timeLimit(.minutes(5)))
struct DynamicBackendConformanceTests {
  private func withDynamic(_ body: (Origin, FastlikeProcess) async throws -> Void) async throws {
    try await withOrigin { origin in
      try await withFastlike("dynamic") { try await body(origin, $0) }
    }
  }

  /// Reports of requests on one client connection, and so on one event loop; each guest registers the backend anew.
  private func reports(
    _ options: [String], to origin: Origin, of edge: FastlikeProcess
  ) async throws -> [GuestReport] {
    let client = try await edge.connect()
    var reports: [GuestReport] = []
    for option in options {
      let reply = try await client.exchange(
        "GET /send?target=127.0.0.1:\(origin.port)&\(option) HTTP/1.1\r\nHost: e\r\n\r\n")
      reports.append(GuestReport(text: reply.text))
    }
    await client.close()
    return reports
  }

  @Test func whatWasRegisteredCanBeAsked() async throws {
    try await withDynamic { _, edge in
      let plain = try await edge.report("/describe?target=127.0.0.1:81")
      #expect(plain["register"] == "ok")
      #expect(plain["is_dynamic"] == "1")
      #expect(plain["is_ipv6_preferred"] == "1")
      for name in ["tcp_keepalive_enable", "tcp_keepalive_time", "max_connections", "max_use", "max_lifetime_ms"] {
        #expect(plain[name] == "0")
      }
      let full = try await edge.report(
        "/describe?target=127.0.0.1:81&keepalive=5000&tcp=7&connections=3&uses=4&lifetime=6000&flags=ipv4,tls")
      #expect(full["http_keepalive_time"] == "5000")
      #expect(full["tcp_keepalive_enable"] == "1")
      #expect(full["tcp_keepalive_time"] == "7")
      #expect(full["tcp_keepalive_interval"] == "8")
      #expect(full["tcp_keepalive_probes"] == "9")
      #expect(full["max_connections"] == "3")
      #expect(full["max_use"] == "4")
      #expect(full["max_lifetime_ms"] == "6000")
      #expect(full["is_ipv6_preferred"] == "0")
      #expect(full["is_ssl"] == "1")
    }
  }

  @Test func aConnectionServesOnlySoManyRequests() async throws {
    try await withDynamic { origin, edge in
      let option = "path=/count&uses=2&tcp=60"
      let bodies = try await reports([option, option, option], to: origin, of: edge).map { $0["body"] }
      #expect(bodies == ["connection 1 request 1", "connection 1 request 2", "connection 2 request 1"])
    }
  }

  @Test(arguments: ["lifetime=1", "flags=dont_pool", "keepalive=1"])
  func aConnectionIsNotKept(_ option: String) async throws {
    try await withDynamic { origin, edge in
      let first = try await reports(["path=/count&\(option)"], to: origin, of: edge)
      try await Task.sleep(for: .milliseconds(20))
      let second = try await reports(["path=/count&\(option)"], to: origin, of: edge)
      #expect((first + second).map { $0["body"] } == ["connection 1 request 1", "connection 2 request 1"])
    }
  }

  @Test func requestsWaitForOneOfFewConnections() async throws {
    try await withDynamic { origin, edge in
      let report = try await reports(
        ["path=/slow%3Fms=20&connections=1&count=4&connect_timeout=10000"], to: origin, of: edge)
      #expect(report[0].values("send") == ["ok", "ok", "ok", "ok"])
      #expect(Set(origin.seen.map(\.connection)) == [1])
    }
  }

  @Test func requestsThatWaitInVainFailWithTheLimit() async throws {
    try await withDynamic { origin, edge in
      let report = try await reports(
        ["path=/slow%3Fms=2000&connections=1&count=2&connect_timeout=100"], to: origin, of: edge)
      #expect(report[0].values("send").sorted() == ["!error", "ok"])
      #expect(report[0]["detail"] == "connection_limit_reached")
      #expect(origin.seen.count == 1)
    }
  }

  @Test func aLimitCountsForTheWholeProcess() async throws {
    try await withDynamic { origin, edge in
      // Clients' connections are spread over the event loops, and what one of them keeps idle is given up for the others.
      for _ in 0..<6 {
        let report = try await reports(
          ["path=/count&connections=1&connect_timeout=10000"], to: origin, of: edge)
        #expect(report[0]["send"] == "ok")
      }
    }
  }

  @Test func healthIsWhatTheProbesFind() async throws {
    try await withDynamic { origin, edge in
      let target = "/health?target=127.0.0.1:\(origin.port)&initial=0&threshold=1"
      let good = try await edge.report(target + "&probe=/hello&wanted=1")
      #expect(good["first"] == "2")
      #expect(good["health"] == "1")
      #expect(origin.seen("/hello").first?.head.contains("host: probe.example") == true)
      let bad = try await edge.report(target + "&probe=/status/500&wanted=2")
      #expect(bad["health"] == "2")
    }
  }

  @Test func aRegisteredBackendMaySpeakHTTP2() async throws {
    try await withHTTP2Origin { origin in
      try await withFastlike("dynamic") { edge in
        let report = try await edge.report("/send?target=127.0.0.1:\(origin.port)&flags=grpc&path=/hello&count=3")
        #expect(report.values("body") == Array(repeating: "hello over h2\\n", count: 3))
        #expect(origin.connections == 1)
      }
    }
  }
}
