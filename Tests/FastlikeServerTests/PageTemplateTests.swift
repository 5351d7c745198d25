import FastlikeProfile
import Foundation
import Testing

@testable import FastlikeServer

@Suite("Page: templates")
struct PageTemplateTests {
  private func index(_ traces: [RequestTrace], query: String = "", running: [InFlightRequest] = []) throws -> String {
    let state = IndexState(
      traces: traces, running: running, statistics: ProfileStore().statistics, mode: .trace, now: 0)
    return try PageTemplates().index(IndexView(filter: RequestFilter(query: query), traces: traces, state: state))
  }

  private func page(_ trace: RequestTrace) throws -> String { try PageTemplates().request(RequestView(trace)) }

  private var everything: RequestTrace {
    var trace = PageTrace.slow()
    var stacks = StackTable.Builder()
    let stack = stacks.intern(leafFirst: [StackFrame(name: "digest")]) ?? 0
    trace.guestStacks = StackProfile(table: stacks.finish(), samples: [StackSample(relativeNanos: 1, stack: stack)])
    trace.nativeStacks = trace.guestStacks
    trace.notes = [TraceNote("a remark")]
    trace.droppedSpans = 7
    var deep = DeepMetrics()
    deep.addHeapSample(relativeNanos: 5, memoryBytes: 65_536)
    deep.bumpStoreAccess(kind: .kv, name: "sessions")
    deep.requestHeaders = HeaderSummary.summarize([(name: "accept", value: "*/*")])
    deep.finalize()
    trace.deep = deep
    return trace
  }

  @Test func aRequestReadsWithoutAScript() throws {
    let html = try page(everything)
    for text in [
      "waiting for backend origin", "<svg class=\"bar\"", "fastly_http_req.send", "https://origin.example/items",
      "400 ms", "94 %", "a remark", "This trace is not complete.", "7 hostcalls", "sessions", "Accept", "digest",
      "64.0 KiB at most", "1.har",
    ] {
      #expect(html.contains(text), "\(text)")
    }
  }

  @Test func whatWasNotRecordedHasNoPlace() throws {
    let html = try page(PageTrace.quick())
    for text in ["not complete", "Backend calls", "Deep", "samples", "Note:"] {
      #expect(!html.contains(text), "\(text)")
    }
  }

  @Test func theIndexReadsWithoutAScript() throws {
    let html = try index([PageTrace.slow(id: 12), PageTrace.quick(id: 11, status: 503)])
    for text in ["href=\"r/12\"", "426.0", "backend 94 %", "s5\">503", "1–2 of 2", "p95"] {
      #expect(html.contains(text), "\(text)")
    }
  }

  @Test func aRunningRequestTellsItsHostcall() throws {
    let request = InFlightRequest(
      id: 9, moduleID: "", method: "GET", url: RedactedURL("/now"), wallStartUnixNanos: -5_000_000,
      hostcall: "fastly_http_req.send", blockedOn: .backend)
    let html = try index([], running: [request])
    #expect(html.contains("fastly_http_req.send: waiting for the backend"))
    #expect(html.contains("<td class=\"num\">5.00</td>"))
  }

  @Test func hostileTextStaysText() throws {
    let hostile = "/<script>alert(1)</script>\"'&{{title}}"
    var trace = PageTrace.slow(path: hostile)
    trace.method = "<b>"
    trace.moduleName = "<i>"
    trace.labels[1] = TraceLabel(kind: .backend, name: "<img src=x onerror=alert(1)>")
    trace.backendCalls[0].name = "\"><script>"
    for html in [try page(trace), try index([trace], query: "path=%3Cscript%3E&status=%22%3E")] {
      for text in ["<script>", "<b>", "<i>", "<img"] { #expect(!html.contains(text), "\(text)") }
      #expect(html.contains("&lt;script&gt;"))
      // Inserted text is no template.
      #expect(html.contains("{{title}}"))
    }
  }

  @Test func nothingInAPageNeedsMoreThanItsPolicyAllows() throws {
    for html in [try page(everything), try index([PageTrace.slow()])] {
      for text in [" style=", "<style", "javascript:", " onclick=", "src=\"http", "href=\"http", "href=\"/", "src=\"/"]
      {
        #expect(!html.contains(text), "\(text)")
      }
      // Every script is a file.
      #expect(
        html.components(separatedBy: "<script").count
          == html.components(separatedBy: "<script type=\"module\" src=").count)
    }
  }

  @Test func everyFileThatAPageNamesIsThere() throws {
    var texts = [try page(everything), try index([])]
    for name in ["index.js", "request.js", "timeline.js", "model.js", "page.js", "page.css"] {
      let asset = try #require(PageAsset.named(name), "\(name)")
      texts.append(String(decoding: asset.bytes, as: UTF8.self))
    }
    var named: Set<String> = []
    for text in texts {
      for match in text.matches(of: /assets\/([a-z.]+)"|from '\.\/([a-z.]+)'/) {
        if let name = match.1 ?? match.2 { named.insert(String(name)) }
      }
    }
    #expect(
      named.isSuperset(of: ["page.css", "icon.svg", "index.js", "request.js", "timeline.js", "model.js", "page.js"]))
    for name in named { #expect(PageAsset.named(name) != nil, "\(name)") }
  }
}
