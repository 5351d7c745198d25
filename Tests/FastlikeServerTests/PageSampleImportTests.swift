import FastlikeProfile
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import FastlikeServer

/// The one thing that the page can be sent: samples of a profiler.
@Suite("Page: samples", .timeLimit(.minutes(1)))
struct PageSampleImportTests {
  private static let text =
    "t 1/1 100.000500000: 1000000 cpu-clock: \n\t  8c leaf+0xc (/tmp/perf-1.map)\n\n"

  /// Sends samples to a page that has one request, from 100.0 s to 100.001 s of the monotonic clock.
  private func post(token: String = "", headers: [String], body: String) async throws -> (answer: String, samples: Int)
  {
    let store = ProfileStore(hostcalls: PageTrace.hostcalls)
    var trace = PageTrace.make(wall: 1_000_000)
    trace.processID = 1
    trace.monotonicStartNanos = 100_000_000_000
    store.complete(trace)
    let page = try ProfilePage(store: store, settings: ProfilePageSettings(token: token), logger: Logger(label: "test"))
    let bound = try await page.start()
    let lines = ["POST /api/samples HTTP/1.1", "Host: localhost", "Connection: close"] + headers
    let client = try await EdgeClient.connect(
      to: SocketAddress(ipAddress: "127.0.0.1", port: bound.port), group: MultiThreadedEventLoopGroup.singleton,
      sending: lines.joined(separator: "\r\n") + "\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
    let answer = try await client.readToEnd()
    await page.stop()
    return (answer, store.trace(id: 1)?.nativeStacks.samples.count ?? 0)
  }

  @Test func samplesJoinTheRequestsThatThePageShows() async throws {
    let result = try await post(headers: [], body: Self.text)
    #expect(result.answer.hasPrefix("HTTP/1.1 200"))
    #expect(result.answer.contains(#""attached":1"#))
    #expect(result.samples == 1)
  }

  @Test(arguments: [["Origin: http://other.example"], ["Origin: null"], ["Origin: https://profiler.firefox.com"]])
  func otherSitesMayNotSendThem(headers: [String]) async throws {
    let result = try await post(headers: headers, body: Self.text)
    #expect(result.answer.hasPrefix("HTTP/1.1 403"))
    #expect(result.samples == 0)
  }

  @Test func aTokenGuardsThem() async throws {
    let without = try await post(token: "secret-token", headers: [], body: Self.text)
    #expect(without.answer.hasPrefix("HTTP/1.1 401"))
    #expect(without.samples == 0)
    let with = try await post(
      token: "secret-token", headers: ["Authorization: Bearer secret-token"], body: Self.text)
    #expect(with.samples == 1)
  }

  @Test func whatHasNoSamplesIsRefusedWithTheReason() async throws {
    let result = try await post(headers: [], body: "# nothing\n")
    #expect(result.answer.hasPrefix("HTTP/1.1 422"))
    #expect(result.answer.contains("no native samples in input"))
  }
}
