import FastlikeProfile
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import FastlikeServer

/// What collectors ask the page for.
@Suite("Page: scraping", .timeLimit(.minutes(1)))
struct PageScrapeTests {
  private func withPage(
    countsTotals: Bool = true, _ body: (ProfileStore, (String, [String]) async throws -> String) async throws -> Void
  ) async throws {
    let store = ProfileStore(hostcalls: PageTrace.hostcalls, firstID: 100, countsTotals: countsTotals)
    let page = try ProfilePage(store: store, settings: ProfilePageSettings(), logger: Logger(label: "test"))
    let bound = try await page.start()
    do {
      try await body(store) { target, headers in
        let lines = ["GET \(target) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
        let client = try await EdgeClient.connect(
          to: SocketAddress(ipAddress: "127.0.0.1", port: bound.port), group: MultiThreadedEventLoopGroup.singleton,
          sending: lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try await client.readToEnd()
      }
    } catch {
      await page.stop()
      throw error
    }
    await page.stop()
  }

  @Test func metricsCountTracesThatTheStoreForgot() async throws {
    try await withPage { store, ask in
      for id in 1...3 { store.complete(PageTrace.slow(id: UInt64(id))) }
      store.removeAll()
      let response = try await ask("/metrics", [])
      #expect(headLines(response).contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"))
      let lines = bodyText(response).split(separator: "\n")
      #expect(lines.contains("fastlike_requests_total{outcome=\"normal\",status=\"2xx\"} 3"))
      #expect(lines.contains("fastlike_backend_calls_total{backend=\"origin\",outcome=\"ok\"} 3"))
      #expect(lines.contains { $0.hasPrefix("process_cpu_seconds_total ") })
      #expect(lines.contains { $0.hasPrefix("process_open_fds ") })
      #expect(!bodyText(response).contains("/slow"))
    }
  }

  @Test func openMetricsAreThereForThoseWhoAskForThem() async throws {
    try await withPage { _, ask in
      let response = try await ask(
        "/metrics", ["Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1"])
      #expect(headLines(response).contains { $0.hasPrefix("Content-Type: application/openmetrics-text") })
      #expect(bodyText(response).hasSuffix("# EOF\n"))
    }
  }

  @Test func theProfilesAreListed() async throws {
    try await withPage { _, ask in
      let text = bodyText(try await ask("/debug/pprof/", []))
      #expect(text.contains("profile "))
      #expect(text.contains("hostcalls "))
    }
  }

  @Test func hostcallsAreAGzippedProfile() async throws {
    try await withPage { store, ask in
      store.complete(PageTrace.slow(id: 1))
      let response = try await ask("/debug/pprof/hostcalls", [])
      #expect(bodyText(response).unicodeScalars.prefix(2).map(\.value) == [0x1F, 0x8B])
      #expect(!headLines(response).contains { $0.lowercased().hasPrefix("content-encoding") })
      #expect(headLines(response).contains("Content-Disposition: attachment; filename=\"hostcalls.pb.gz\""))
    }
  }

  @Test func stacksAreCollectedForTheTimeThatWasAskedFor() async throws {
    try await withPage { _, ask in
      let response = try await ask("/debug/pprof/profile?seconds=1", [])
      #expect(bodyText(response).unicodeScalars.prefix(2).map(\.value) == [0x1F, 0x8B])
    }
  }

  @Test(arguments: ["0", "-1", "301", "x", ""])
  func timesThatAreNotAllowedAreRefused(seconds: String) async throws {
    try await withPage { _, ask in
      for name in ["profile", "hostcalls"] {
        let response = try await ask("/debug/pprof/\(name)?seconds=\(seconds)", [])
        #expect(response.hasPrefix("HTTP/1.1 400"))
        #expect(bodyText(response) == "seconds: must be a whole number from 1 to 300\n")
      }
    }
  }

  @Test func withoutCountersTheAnswerSaysSo() async throws {
    try await withPage(countsTotals: false) { _, ask in
      let metrics = try await ask("/metrics", [])
      #expect(metrics.hasPrefix("HTTP/1.1 503"))
      let hostcalls = try await ask("/debug/pprof/hostcalls", [])
      #expect(hostcalls.hasPrefix("HTTP/1.1 503"))
    }
  }
}
