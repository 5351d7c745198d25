import Foundation
import Testing

/// The profile page as a person sees it, in a headless Chromium. Every test also expects an empty console: no error, no
/// exception, nothing that the security policy had to stop.
@Suite(
  "Conformance: the page in a browser", .serialized, .timeLimit(.minutes(5)), .enabled(if: Chromium.executable != nil))
struct BrowserTests {
  /// Runs a test with an edge that has a page, and a browser's page in front of it.
  private func withPage(
    _ guest: String = "proxy", _ arguments: [String] = [], complaints: [String] = [],
    _ body: (FastlikeProcess, String, BrowserPage) async throws -> Void
  ) async throws {
    try await withOrigin { origin in
      let flags = ["-b", "origin=127.0.0.1:\(origin.port)", "--profile-ui", "127.0.0.1:0"] + arguments
      try await withFastlike(guest, flags) { edge in
        let address = try #require(edge.pageAddress)
        let page = try await BrowserPage.open()
        do {
          try await body(edge, address, page)
          #expect(page.complaints.filter { line in !complaints.contains { line.contains($0) } } == [])
          await page.close()
        } catch {
          await page.close()
          throw error
        }
      }
    }
  }

  // MARK: - Index

  @Test func aRequestAppearsInTheListWithoutALoad() async throws {
    try await withPage { edge, address, page in
      try await page.visit(address)
      try await page.until("document.querySelector('#live .word').textContent === 'live'")
      _ = try await edge.get("/hello")
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 1")
      #expect(try await page.text("#requests tbody td.path") == "/hello")
      #expect(try await page.text("#routes td.path").contains("/hello"))
      #expect(
        try await page.evaluate("document.querySelector('#requests .bar, #requests svg') !== null", as: Bool.self))
    }
  }

  @Test func aRunningRequestIsShownWithItsHostcall() async throws {
    try await withPage { edge, address, page in
      let client = try await edge.connect()
      try await client.send("GET /gated/browser HTTP/1.1\r\nHost: edge.example\r\n\r\n")
      try await page.visit(address)
      try await page.until(
        "['/gated/browser', 'send'].every((part) => document.querySelector('#in-flight')?.innerText.includes(part))")
      await client.close()
    }
  }

  @Test func aPausedListStaysAsItIs() async throws {
    try await withPage { edge, address, page in
      try await page.visit(address)
      try await page.until("document.querySelector('#live .word').textContent === 'live'")
      try await page.press("p")
      try await page.until("document.querySelector('#live .word').textContent === 'paused'")
      _ = try await edge.get("/hello")
      #expect(try await page.evaluate("document.querySelectorAll('#requests tbody tr').length", as: Int.self) == 0)
      try await page.press("p")
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 1")
    }
  }

  @Test func filtersNarrowTheList() async throws {
    try await withPage { edge, address, page in
      for target in ["/hello", "/status/404", "/status/503", "/hello/again"] { _ = try await edge.get(target) }
      try await page.visit(address)
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 4")
      _ = try await page.evaluate(
        "(filter.elements.path.value = '/status', filter.requestSubmit(), true)", as: Bool.self)
      try await page.until("location.search.includes('path=') && document.readyState === 'complete'")
      #expect(try await page.evaluate("document.querySelectorAll('#requests tbody tr').length", as: Int.self) == 2)
      try await page.visit(address + "?status=5xx")
      #expect(try await page.text("#requests tbody td.path") == "/status/503")
      #expect(try await page.evaluate("document.querySelectorAll('#requests tbody tr').length", as: Int.self) == 1)
    }
  }

  @Test func theListIsReadWithKeysAlone() async throws {
    try await withPage { edge, address, page in
      for target in ["/hello/1", "/hello/2"] { _ = try await edge.get(target) }
      try await page.visit(address)
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 2")
      try await page.press("j")
      try await page.press("j")
      try await page.until("document.querySelector('#requests .chosen .path')?.innerText === '/hello/1'")
      try await page.press("Enter")
      try await page.until("location.pathname.startsWith('/r/')")
      #expect(try await page.text("h1").contains("/hello/1"))
    }
  }

  @Test func aHostilePathIsTextAndNothingElse() async throws {
    try await withPage { edge, address, page in
      _ = try await edge.get("/hello/<img/src=x/onerror=alert(1)>\"'&amp;")
      try await page.visit(address)
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 1")
      #expect(try await page.text("#requests tbody td.path").contains("<img/src=x/onerror=alert(1)>"))
      #expect(try await page.evaluate("document.images.length", as: Int.self) == 0)
      try await edge.waitForTrace(1)
      try await page.visit(address + "r/1")
      #expect(try await page.text("h1").contains("<img/src=x/onerror=alert(1)>"))
      #expect(try await page.evaluate("document.images.length", as: Int.self) == 0)
    }
  }

  // MARK: - Request

  @Test func aSlowRequestExplainsItself() async throws {
    try await withPage { edge, address, page in
      _ = try await edge.get("/slow?ms=200")
      try await edge.waitForTrace(1)
      try await page.visit(address + "r/1")
      #expect(try await page.text(".why").contains("waiting for backend origin"))
      #expect(try await page.text(".shares").contains("backend"))
      #expect(try await page.text(".backends tbody").contains("origin"))
      #expect(try await page.text("#hostcalls tbody").contains("fastly_http_req.send"))
    }
  }

  @Test func theTimelineZoomsAndPans() async throws {
    try await withPage("hostcalls") { edge, address, page in
      _ = try await edge.get("/9000")
      try await edge.waitForTrace(1)
      try await page.visit(address + "r/1")
      try await page.until("document.querySelector('#timeline canvas') !== null")
      #expect(try await page.text(".banner.loud").contains("not complete"))
      let whole = try await page.text("#timeline .tools .span")
      _ = try await page.evaluate("(document.querySelector('#timeline canvas').focus(), true)", as: Bool.self)
      for _ in 0..<4 { try await page.press("+") }
      try await page.until("document.querySelector('#timeline .tools .span').innerText !== '\(whole)'")
      let zoomed = try await page.text("#timeline .tools .span")
      try await page.press("ArrowRight")
      try await page.until("document.querySelector('#timeline .tools .span').innerText !== '\(zoomed)'")
      try await page.press("0")
      try await page.until("document.querySelector('#timeline .tools .span').innerText === '\(whole)'")
    }
  }

  @Test func aPageIsReadWithoutScripts() async throws {
    try await withPage { edge, address, page in
      _ = try await edge.get("/slow?ms=50")
      try await edge.waitForTrace(1)
      try await page.allowScripts(false)
      // What the protocol evaluates runs all the same.
      try await page.visit(address + "r/1")
      #expect(try await page.evaluate("document.querySelector('#timeline').hidden", as: Bool.self))
      #expect(try await page.text("#waterfall").contains("origin"))
      #expect(try await page.text(".why").contains("waiting for backend"))
    }
  }

  @Test(arguments: ["light", "dark"]) func nothingIsWiderThanAPhone(scheme: String) async throws {
    try await withPage { edge, address, page in
      for target in ["/slow?ms=50", "/hello/with/a/path/that/is/rather/long/for/a/small/screen"] {
        _ = try await edge.get(target)
      }
      try await edge.waitForTrace(1)
      try await page.resize(width: 390, height: 844, isPhone: true)
      try await page.prefer(scheme)
      for place in ["", "r/1"] {
        try await page.visit(address + place)
        #expect(
          try await page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth", as: Bool.self),
          "\(place) scrolls sideways")
      }
      let dark = try await page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).every((part) => part < 128)",
        as: Bool.self)
      #expect(dark == (scheme == "dark"))
    }
  }

  // MARK: - Exports

  @Test func everyExportIsAFileToSave() async throws {
    try await withPage { edge, address, page in
      _ = try await edge.get("/hello")
      try await edge.waitForTrace(1)
      try await page.visit(address + "r/1")
      let names = try await page.evaluate(
        """
        (async () => {
          const names = [];
          for (const link of document.querySelectorAll('.exports a')) {
            const answer = await fetch(link.href);
            const disposition = answer.headers.get('content-disposition') ?? '';
            if (!answer.ok || (await answer.arrayBuffer()).byteLength === 0) names.push('broken ' + link.href);
            else names.push(disposition.match(/filename="(.*)"/)?.[1] ?? 'nameless ' + link.href);
          }
          return names;
        })()
        """, as: [String].self)
      #expect(names.count == 8)
      #expect(names.allSatisfy { $0.hasPrefix("fastlike-request-1.") })
      _ = try await page.evaluate("(document.querySelector('.exports a').click(), true)", as: Bool.self)
      try await eventually("the download") {
        let files = try FileManager.default.contentsOfDirectory(atPath: page.downloads)
        return files.contains { $0.hasPrefix("fastlike-request-1") && !$0.hasSuffix(".crdownload") }
      }
    }
  }

  @Test func theCurlLineNamesTheTrace() async throws {
    try await withPage { edge, address, page in
      _ = try await edge.get("/hello")
      try await edge.waitForTrace(1)
      try await page.visit(address + "r/1")
      try await page.until("!document.getElementById('viewers').hidden")
      // The clipboard is not a headless page's, so the line is shown instead.
      _ = try await page.evaluate("(document.getElementById('copy-curl').click(), true)", as: Bool.self)
      try await page.until("document.getElementById('viewers-said').textContent.length > 0")
      let said = try await page.text("#viewers-said")
      #expect(said == "Copied." || said.contains("\(address)r/1.json"))
    }
  }

  // MARK: - Flame graphs and comparison

  @Test func aFlameGraphIsSearchedAndZoomedIntoWithMouseAndKeys() async throws {
    try await withPage("hostcalls") { edge, address, page in
      _ = try await edge.get("/500")
      try await edge.waitForTrace(1)
      try await page.visit(address + "flame?weight=hostcall")
      try await page.until("!document.getElementById('tools').hidden")
      _ = try await page.evaluate(
        """
        (() => { const field = document.getElementById('find'); field.value = 'status_get';
                 field.dispatchEvent(new Event('input')); return true; })()
        """, as: Bool.self)
      #expect(try await page.text("#found") == "1 found")
      #expect(try await page.evaluate("document.querySelectorAll('#flame g.dim').length > 0", as: Bool.self))
      let whole = try await page.evaluate("document.querySelectorAll('#flame g').length", as: Int.self)
      _ = try await page.evaluate(
        """
        (document.querySelector('#flame g:not(.dim) rect').dispatchEvent(new MouseEvent('click', { bubbles: true })), true)
        """, as: Bool.self)
      #expect(try await page.text("#told").contains("status_get"))
      #expect(try await page.evaluate("document.querySelectorAll('#flame g').length", as: Int.self) < whole)
      _ = try await page.evaluate("(document.getElementById('flame').focus(), true)", as: Bool.self)
      try await page.press("Escape")
      try await page.until("document.querySelectorAll('#flame g').length === \(whole)")
    }
  }

  @Test func twoSetsOfRequestsAreComparedInWords() async throws {
    try await withPage("hostcalls") { edge, address, page in
      for target in Array(repeating: "/10", count: 12) + Array(repeating: "/4000", count: 12) {
        _ = try await edge.get(target)
      }
      try await edge.waitForTrace(24)
      try await page.visit(address + "compare?a=path%3D/10&b=path%3D/4000")
      #expect(try await !page.text(".why").isEmpty)
      let calls = "[...document.querySelectorAll('tr')].find(row => row.textContent.includes('status_get')).textContent"
      #expect(try await page.evaluate(calls, as: String.self).hasSuffix("slower"))
      try await page.visit(address + "compare")
      #expect(try await page.text("main").contains("the last minute with what was before"))
    }
  }

  // MARK: - Security

  @Test func aTokenOpensThePageAndItsAbsenceDoesNot() async throws {
    let arguments = ["--profile-auth", "open-sesame-token"]
    try await withPage("proxy", arguments, complaints: ["401"]) { edge, address, page in
      _ = try await edge.get("/hello")
      try await page.visit(address)
      #expect(try await page.text("body").contains("token"))
      #expect(try await page.evaluate("document.querySelector('#requests') === null", as: Bool.self))
      try await page.send(headers: ["Authorization": "Bearer open-sesame-token"])
      try await page.visit(address)
      try await page.until("document.querySelectorAll('#requests tbody tr').length === 1")
      try await page.until("document.querySelector('#live .word').textContent === 'live'")
    }
  }

  @Test func thePolicyStopsForeignScripts() async throws {
    try await withPage(complaints: ["Content Security Policy", "violates"]) { edge, address, page in
      _ = try await edge.get("/hello")
      try await page.visit(address)
      _ = try await page.evaluate(
        """
        (() => { const made = document.createElement('script'); made.textContent = 'window.ran = true';
                 document.body.append(made); return true; })()
        """, as: Bool.self)
      #expect(try await page.evaluate("window.ran === undefined", as: Bool.self))
      #expect(page.complaints.contains { $0.contains("Content Security Policy") })
    }
  }
}
