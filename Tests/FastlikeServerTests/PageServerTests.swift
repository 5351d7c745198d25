import FastlikeProfile
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import FastlikeServer

/// A running page on a free port of the loopback address.
private struct TestPage {
  let store: ProfileStore
  let page: ProfilePage
  let port: Int

  /// Sends one request on a connection of its own and returns everything that comes.
  func ask(
    _ target: String, method: String = "GET", host: String? = "localhost", headers: [String] = []
  ) async throws -> String {
    let client = try await connect(target, method: method, host: host, headers: headers + ["Connection: close"])
    return try await client.readToEnd()
  }

  func connect(
    _ target: String, method: String = "GET", host: String? = "localhost", headers: [String] = []
  ) async throws -> EdgeClient {
    let lines = ["\(method) \(target) HTTP/1.1"] + (host.map { ["Host: \($0)"] } ?? []) + headers
    return try await EdgeClient.connect(
      to: SocketAddress(ipAddress: "127.0.0.1", port: port), group: MultiThreadedEventLoopGroup.singleton,
      sending: lines.joined(separator: "\r\n") + "\r\n\r\n")
  }
}

private func withPage(
  token: String = "", traces: [RequestTrace] = [PageTrace.slow(id: 1), PageTrace.quick(id: 2)],
  _ body: (TestPage) async throws -> Void
) async throws {
  let store = ProfileStore(mode: .deep, hostcalls: PageTrace.hostcalls, firstID: 100, countsTotals: true)
  for trace in traces { store.complete(trace) }
  let page = try ProfilePage(
    store: store, settings: ProfilePageSettings(token: token), logger: Logger(label: "test"))
  let bound = try await page.start()
  do {
    try await body(TestPage(store: store, page: page, port: bound.port))
  } catch {
    await page.stop()
    throw error
  }
  await page.stop()
}

private func status(_ response: String) -> String { String(response.dropFirst("HTTP/1.1 ".count).prefix(3)) }

private let routes = [
  "/", "/r/1", "/r/1.json", "/r/1.firefox.json", "/r/1.chrome.json", "/r/1.pprof", "/r/1.perfetto",
  "/r/1.speedscope.json",
  "/r/1.collapsed.txt", "/r/1.har", "/api/traces", "/assets/page.css", "/assets/index.js", "/healthz",
  "/metrics", "/debug/pprof", "/debug/pprof/hostcalls",
]

@Suite("Page: over a socket", .timeLimit(.minutes(1)))
struct PageServerTests {
  @Test(arguments: routes)
  func everyRouteAnswersWithTheSecurityHeaders(route: String) async throws {
    try await withPage { page in
      let response = try await page.ask(route)
      #expect(status(response) == "200")
      let head = headLines(response).map { $0.lowercased() }
      #expect(head.contains("x-content-type-options: nosniff"))
      #expect(head.contains("cache-control: no-store"))
      #expect(head.contains { $0.hasPrefix("content-security-policy: default-src 'none'; script-src 'self'") })
      #expect(!head.contains { $0.hasPrefix("content-encoding:") || $0.hasPrefix("access-control-") })
    }
  }

  @Test(arguments: TraceExportFormat.allCases)
  func exportsAreFilesToSave(format: TraceExportFormat) async throws {
    try await withPage { page in
      let response = try await page.ask("/r/1\(format.pageSuffix)")
      let trace = try #require(page.store.trace(id: 1))
      #expect(
        headLines(response).contains(
          "Content-Disposition: attachment; filename=\"fastlike-request-1\(format.fileSuffix)\""))
      #expect(bodyText(response).unicodeScalars.map { UInt8($0.value) } == format.encode(trace))
    }
  }

  @Test(arguments: [
    "/r/77", "/r/0", "/r/01", "/r/1x", "/r/1.exe", "/r/-1", "/r/99999999999999999999", "/r/%31",
    "/assets/../Package.swift",
    "/assets/none.js", "/nothing", "/r/1/2",
  ])
  func whatIsNotThereIsNotFound(target: String) async throws {
    try await withPage { page in
      let response = try await page.ask(target)
      #expect(status(response) == "404")
      #expect(headLines(response).contains { $0.hasPrefix("Content-Security-Policy") })
    }
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
  func thePageCanOnlyBeRead(method: String) async throws {
    try await withPage { page in
      let response = try await page.ask("/", method: method, headers: ["Content-Length: 0"])
      #expect(status(response) == "405")
      #expect(headLines(response).contains("Allow: GET, HEAD"))
    }
  }

  @Test func aHeadRequestHasNoBody() async throws {
    try await withPage { page in
      let response = try await page.ask("/r/1", method: "HEAD")
      #expect(status(response) == "200")
      #expect(bodyText(response).isEmpty)
    }
  }

  @Test(arguments: routes + ["/api/live", "/nothing"])
  func aTokenGuardsEveryRoute(route: String) async throws {
    try await withPage(token: "sesame") { page in
      for headers in [
        [], ["Authorization: Bearer wrong"], ["Authorization: Basic c2VzYW1l"], ["Cookie: token=sesame"],
      ] {
        let response = try await page.ask(route, headers: headers)
        #expect(status(response) == "401")
        #expect(headLines(response).contains("WWW-Authenticate: Bearer realm=\"fastlike\""))
      }
      #expect(try await status(page.ask(route + "?token=sesame")) == "401")
    }
  }

  @Test func theRightTokenOpensThePageUnderAnyName() async throws {
    try await withPage(token: "sesame") { page in
      let response = try await page.ask("/r/1", host: "profile.example", headers: ["Authorization: bearer sesame"])
      #expect(status(response) == "200")
      #expect(bodyText(response).contains("data-token"))
      #expect(!response.contains("sesame"))
    }
  }

  @Test(arguments: ["evil.example", "evil.example:6060", "127.0.0.1.evil.example", "192.168.1.4"])
  func aForeignNameIsRefused(host: String) async throws {
    try await withPage { page in
      let response = try await page.ask("/", host: host)
      #expect(status(response) == "403")
    }
  }

  @Test(arguments: ["localhost", "localhost:6060", "127.0.0.1:80", "[::1]:6060"])
  func aNameOfThisMachineIsAllowed(host: String) async throws {
    try await withPage { page in
      let response = try await page.ask("/", host: host)
      #expect(status(response) == "200")
    }
  }

  @Test func otherSitesMayNotRead() async throws {
    try await withPage { page in
      for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        let response = try await page.ask("/r/1.json", headers: ["Origin: \(origin)"])
        #expect(status(response) == "403")
      }
      let own = try await page.ask(
        "/", host: "localhost:\(page.port)", headers: ["Origin: http://localhost:\(page.port)"])
      #expect(status(own) == "200")
    }
  }

  @Test func firefoxProfilerMayFetchItsExportAndNothingElse() async throws {
    try await withPage { page in
      let origin = "Origin: https://profiler.firefox.com"
      let export = try await page.ask("/r/1.firefox.json", headers: [origin])
      #expect(status(export) == "200")
      #expect(headLines(export).contains("Access-Control-Allow-Origin: https://profiler.firefox.com"))
      let other = try await page.ask("/r/1.json", headers: [origin])
      #expect(status(other) == "403")
      #expect(!other.contains("Access-Control"))
    }
  }

  @Test func theListAsJSONHasTheSameFilter() async throws {
    try await withPage { page in
      let body = try await bodyText(page.ask("/api/traces?path=slow"))
      let list = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
      #expect(list["matching"] as? Int == 1)
      let traces = try #require(list["traces"] as? [[String: Any]])
      #expect(traces.first?["req_id"] as? Int == 1)
      #expect(traces.first?["wall_nanos"] as? Int == 426_000_000)
      let time = try #require(traces.first?["time"] as? [String: Any])
      #expect((time["blocked_nanos"] as? [String: Int])?["backend"] == 400_000_000)
      let refusal = try await page.ask("/api/traces?min=fast")
      #expect(status(refusal) == "400")
      #expect(bodyText(refusal) == "min: allowed is a number of milliseconds\n")
    }
  }

  @Test(arguments: ["/api/live", "/events"])
  func anOpenIndexHearsOfNewRequests(path: String) async throws {
    try await withPage { page in
      let client = try await page.connect("\(path)?path=cart")
      let first = try await client.read(until: "\n\n\r\n")
      #expect(first.contains("Content-Type: text/event-stream"))
      #expect(first.contains("event: state\n"))
      #expect(!first.contains("event: rows"))
      page.store.complete(PageTrace.quick(id: 4, path: "/cart<"))
      page.store.complete(PageTrace.quick(id: 3, path: "/other"))
      let second = try await client.read(until: "\n\n\r\n")
      #expect(second.contains("event: rows\n"))
      #expect(second.contains(#"\/cart&lt;"#))
      #expect(!second.contains(#"data-id=\"3\""#))
      try await client.close()
    }
  }

  @Test func aRunningRequestIsOnTheIndexUntilItEnds() async throws {
    try await withPage { page in
      let recorder = try #require(
        page.store.begin(TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/now?a=1"))))
      recorder.beginSpan(hostcall: PageTrace.hostcalls.index(of: "fastly_http_req.send"))
      recorder.suspend(cause: .backend)
      let running = try await page.ask("/")
      #expect(running.contains("fastly_http_req.send: waiting for the backend"))
      #expect(try await status(page.ask("/r/100")) == "404")
      recorder.finish()
      #expect(try await !page.ask("/").contains("In flight</h2>"))
      #expect(try await status(page.ask("/r/100")) == "200")
    }
  }

  @Test func whatTheStoreKeepsNoMoreIsFoundInTheArchive() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("page-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let archive = try TraceArchive(directory: directory)
    defer { archive.close() }
    for id in 1...3 { archive.append(PageTrace.slow(id: UInt64(id), path: "/old/\(id)")) }
    archive.flush()
    let page = try ProfilePage(
      store: ProfileStore(), archive: archive, settings: ProfilePageSettings(), logger: Logger(label: "test"))
    let test = TestPage(store: ProfileStore(), page: page, port: try await page.start().port)
    #expect(try await bodyText(test.ask("/r/2")).contains("/old/2"))
    #expect(try await status(test.ask("/r/2.har")) == "200")
    #expect(try await status(test.ask("/r/4")) == "404")
    #expect(try await bodyText(test.ask("/")).contains("?from=archive"))
    let list = try await bodyText(test.ask("/?from=archive&limit=2"))
    #expect(list.contains("2 in the archive"))
    #expect(list.contains("href=\"r/3\"") && !list.contains("href=\"r/1\""))
    #expect(list.contains("?from=archive&amp;limit=2&amp;offset=2"))
    await page.stop()
  }

  @Test func withoutRecordingThePageSaysSo() async throws {
    let page = try ProfilePage(store: nil, settings: ProfilePageSettings(), logger: Logger(label: "test"))
    let bound = try await page.start()
    let test = TestPage(store: ProfileStore(), page: page, port: bound.port)
    for target in ["/", "/r/1", "/api/traces", "/api/live"] {
      #expect(try await status(test.ask(target)) == "503")
    }
    await page.stop()
  }

  @Test func stoppingEndsOpenConnections() async throws {
    try await withPage { page in
      let events = try await page.connect("/api/live")
      _ = try await events.read(until: "\n\n\r\n")
      let idle = try await page.connect("/healthz")
      _ = try await idle.read(until: "ok\n")
      await page.page.stop()
      _ = try await events.readToEnd()
      _ = try await idle.readToEnd()
      await #expect(throws: (any Error).self) { try await page.ask("/") }
    }
  }

  @Test func aPortThatIsTakenIsNamed() async throws {
    try await withPage { page in
      let second = try ProfilePage(
        store: page.store, settings: ProfilePageSettings(port: page.port), logger: Logger(label: "test"))
      let error = await #expect(throws: ProfilePageError.self) { try await second.start() }
      #expect(error?.description == "-profile-ui 127.0.0.1:\(page.port): cannot listen: another program listens there")
    }
  }

  @Test func anOpenPageBeyondThisMachineIsRefused() {
    let logger = Logger(label: "test")
    for host in ["", "0.0.0.0", "192.0.2.1", "::"] {
      #expect(throws: ProfilePageAuthorizationError.self) {
        try ProfilePage(store: nil, settings: ProfilePageSettings(host: host, port: 1), logger: logger)
      }
    }
    #expect(throws: Never.self) {
      try ProfilePage(store: nil, settings: ProfilePageSettings(host: "0.0.0.0", token: "x"), logger: logger)
    }
    #expect(throws: Never.self) {
      try ProfilePage(store: nil, settings: ProfilePageSettings(host: "::", isInsecure: true), logger: logger)
    }
  }
}

@Suite("Page: privacy", .timeLimit(.minutes(1)))
struct PagePrivacyTests {
  private static let canary = "C4N4RY"

  /// Secrets wherever a request can carry some.
  private func record(into store: ProfileStore) throws -> UInt64 {
    let secret = Self.canary
    let recorder = try #require(
      store.begin(
        TraceHead(
          moduleID: "m", method: "GET",
          url: RedactedURL("https://user:\(secret)@edge.example/path?token=\(secret)#\(secret)"))))
    recorder.endSetup()
    recorder.beginSpan(hostcall: PageTrace.hostcalls.index(of: "fastly_http_req.send"))
    recorder.label(.backend, "origin")
    recorder.label(.headerName, "authorization")
    let call = recorder.backendCall(
      to: "origin", method: "GET", url: RedactedURL("https://\(secret):x@origin.example/items?key=\(secret)"),
      variant: .sendV3)
    recorder.finishBackendCall(call, outcome: .ok, status: 200)
    recorder.endSpan(status: 0)
    recorder.updateDeep { deep in
      deep.requestHeaders = HeaderSummary.summarize([
        (name: "cookie", value: "session=\(secret)"), (name: "accept", value: secret),
      ])
      deep.responseHeaders = HeaderSummary.summarize([(name: "set-cookie", value: secret)])
    }
    recorder.responseHead(status: 200)
    recorder.finish()
    return recorder.id
  }

  @Test func noSecretOfARequestIsOnAnyPageOrInAnyExport() async throws {
    try await withPage(traces: []) { page in
      let id = try record(into: page.store)
      for target in ["/", "/api/traces", "/r/\(id)"] + TraceExportFormat.allCases.map({ "/r/\(id)\($0.pageSuffix)" }) {
        let response = try await page.ask(target)
        #expect(status(response) == "200")
        #expect(!response.contains(Self.canary), "\(target)")
        #expect(!response.lowercased().contains("set-cookie"), "\(target)")
      }
      let events = try await page.connect("/api/live")
      #expect(try await !events.read(until: "\n\n\r\n").contains(Self.canary))
      try await events.close()
    }
  }

  @Test func whatIsAskedForIsNotEchoedInErrors() async throws {
    try await withPage { page in
      for target in ["/\(Self.canary)", "/r/\(Self.canary)", "/r/1.\(Self.canary)", "/api/traces?min=\(Self.canary)"] {
        let response = try await page.ask(target, headers: ["X-Key: \(Self.canary)"])
        #expect(!response.contains(Self.canary), "\(target)")
      }
    }
  }
}
