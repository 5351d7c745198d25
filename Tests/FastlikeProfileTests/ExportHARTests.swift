import Testing

@testable import FastlikeProfile

struct ExportHARTests {
  private func entries(_ fixture: TraceFixture) throws -> [ExportJSON] {
    try ExportJSON(HAREncoder.encode(fixture.traces))["log"]["entries"].array
  }

  @Test(arguments: TraceFixture.allCases)
  func timingsAddUpToTheTimeWithoutTLS(fixture: TraceFixture) throws {
    for entry in try entries(fixture) {
      let timings = entry["timings"]
      let parts = try ["blocked", "dns", "connect", "send", "wait", "receive"].map { try #require(timings[$0].double) }
      let sum = parts.filter { $0 >= 0 }.reduce(0, +)
      let time = try #require(entry["time"].double)
      #expect(abs(sum - time) < 0.000_001)
      #expect(parts.suffix(3).allSatisfy { $0 >= 0 })
      let tls = try #require(timings["ssl"].double)
      #expect(tls == -1 || tls <= parts[2])
    }
  }

  @Test(arguments: TraceFixture.allCases)
  func everyEntryHasTheRequiredMembers(fixture: TraceFixture) throws {
    let log = try ExportJSON(HAREncoder.encode(fixture.traces))["log"]
    #expect(log["version"].string == "1.2")
    #expect(log["creator"]["name"].string == "fastlike")
    let pages = log["pages"].array.compactMap { $0["id"].string }
    #expect(pages.count == fixture.traces.count)
    for entry in log["entries"].array {
      let page = try #require(entry["pageref"].string)
      #expect(pages.contains(page))
      let (request, response) = (entry["request"], entry["response"])
      #expect(request["url"].string?.contains("://") == true)
      #expect(entry["cache"].isObject)
      #expect(response["status"].int != nil)
      #expect(response["content"]["mimeType"].string != nil)
      for list in [request["cookies"], request["headers"], request["queryString"], response["cookies"]] {
        #expect(list.isArray)
      }
      for size in [request["headersSize"], request["bodySize"], response["headersSize"], response["bodySize"]] {
        #expect(size.int.map { $0 >= -1 } == true)
      }
      let started = try #require(entry["startedDateTime"].string)
      #expect(started.utf8.count == 24 && started.hasSuffix("Z"))
    }
  }

  @Test func aNewConnectionHasAllItsPhases() throws {
    let entry = try #require(try entries(.normal).first)
    let timings = entry["timings"]
    #expect(timings["blocked"].double == 0.05)
    #expect(timings["dns"].double == 0.4)
    #expect(timings["connect"].double == 1.6)
    #expect(timings["ssl"].double == 0.9)
    #expect(entry["startedDateTime"].string == "2026-01-01T00:00:00.124Z")
    #expect(entry["serverIPAddress"].string == "192.0.2.7")
  }

  @Test func aReusedConnectionHasNone() throws {
    let timings = try #require(try entries(.overlapping).first)["timings"]
    #expect(["blocked", "dns", "connect", "ssl"].allSatisfy { timings[$0].double == -1 })
  }

  @Test func aCallThatWasNeverSentWasBlocked() throws {
    let timings = try entries(.overlapping)[1]["timings"]
    #expect(timings["blocked"].double == 0.05 && timings["dns"].double == 0.1)
    #expect(timings["send"].double == 0 && timings["wait"].double == 0 && timings["receive"].double == 0)
  }

  @Test func aFailedCallHasStatusZeroAndAnError() throws {
    let entry = try entries(.overlapping)[1]
    #expect(entry["response"]["status"].int == 0)
    #expect(entry["_error"].string == "network-error: dns_error")
  }
}
