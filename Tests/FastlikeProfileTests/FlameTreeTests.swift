import Testing

@testable import FastlikeProfile

struct FlameTreeTests {
  private static func tree(_ weight: FlameWeight, _ traces: [RequestTrace]) -> FlameTree {
    var builder = FlameTree.Builder(weight: weight)
    for trace in traces { builder.add(trace) }
    return builder.finish()
  }

  private static func lines(_ tree: FlameTree) -> [String] {
    String(decoding: tree.collapsed(), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static func trace(_ stacks: [[String]], weight: Int64) -> RequestTrace {
    var table = StackTable.Builder()
    let samples = stacks.compactMap { stack in
      table.intern(leafFirst: stack.reversed().map { StackFrame(name: $0) })
        .map { StackSample(relativeNanos: 0, stack: $0, weightNanos: weight) }
    }
    return RequestTrace(id: 1, guestStacks: StackProfile(table: table.finish(), samples: samples))
  }

  @Test func equalStacksOfDifferentRequestsAreOneBox() {
    let first = Self.trace([["main", "parse"], ["main", "render"]], weight: 1_000_000)
    let second = Self.trace([["main", "render"], ["main", "parse"], ["main", "parse"]], weight: 1_000_000)
    let tree = Self.tree(.cpu, [first, second])
    #expect(Self.lines(tree) == ["main;parse 3000", "main;render 2000"])
    #expect(tree.nodes.count == 4)
    #expect(tree.requests == 2)
    #expect(tree.total == 5_000_000)
  }

  @Test func oneSampleWithoutATimeMakesAllOfThemCounts() {
    let tree = Self.tree(
      .cpu, [Self.trace([["a"], ["a"]], weight: 5_000_000), Self.trace([["a"], ["b"]], weight: 0)])
    #expect(tree.unit == .samples)
    #expect(Self.lines(tree) == ["a 3", "b 1"])
  }

  @Test func stacksOfAnExternalProfilerStandInWhereNoneWereSampledInTheProcess() {
    var trace = TraceFixture.stacksTrace()
    #expect(Self.lines(Self.tree(.cpu, [trace])).contains("main;render 250"))
    trace.guestStacks = .empty
    #expect(Self.lines(Self.tree(.cpu, [trace])).contains("serve;main 2"))
  }

  @Test func hostcallsAddUpToTheirTime() {
    let trace = TraceFixture.normalTrace()
    let tree = Self.tree(.hostcall, [trace])
    #expect(tree.total == trace.hostcallNanos)
    #expect(Self.lines(tree).contains("GET /shop/items;fastly_kv_store.lookup;sessions;waiting 800"))
  }

  @Test func aHostcallInsideOfAnotherLiesOnIt() {
    let spans = [
      TraceFixture.span("fastly_http_req.send", 0, 10_000_000),
      TraceFixture.span("fastly_kv_store.lookup", 2_000_000, 3_000_000),
    ]
    let trace = RequestTrace(
      id: 1, url: RedactedURL("/x"), hostcallNanos: 10_000_000, hostcalls: TraceFixture.hostcalls, spans: spans)
    let tree = Self.tree(.hostcall, [trace])
    #expect(tree.total == 10_000_000)
    #expect(
      Self.lines(tree) == [
        "GET /x;fastly_http_req.send 7000", "GET /x;fastly_http_req.send;fastly_kv_store.lookup 3000",
      ])
  }

  @Test func whatWasDroppedIsStillThere() {
    let trace = TraceFixture.droppedTrace()
    #expect(Self.tree(.hostcall, [trace]).total == trace.hostcallNanos)
    #expect(Self.tree(.blocked, [trace]).total == trace.time.blocked.total)
  }

  @Test(arguments: TraceFixture.allCases)
  func suspensionsAddUpToTheBlockedTime(fixture: TraceFixture) {
    let tree = Self.tree(.blocked, fixture.traces)
    #expect(tree.total == fixture.traces.reduce(0) { $0 + $1.time.blocked.total })
  }

  @Test func aWaitForAPendingRequestNamesTheBackendThatEndedIt() {
    let tree = Self.tree(.blocked, [TraceFixture.overlappingTrace()])
    #expect(Self.lines(tree).contains { $0.hasPrefix("backend;fastly_http_req.pending_req_wait;origin ") })
  }

  @Test func aRecursiveFunctionCountsOnceForAStack() {
    let tree = Self.tree(.cpu, [Self.trace([["a", "b", "a"], ["a"]], weight: 1000)])
    let totals = tree.frameTotals()
    #expect(totals.first { $0.frame.name == "a" }.map { [$0.own, $0.total] } == [2000, 2000])
    #expect(totals.first { $0.frame.name == "b" }.map { [$0.own, $0.total] } == [0, 1000])
  }

  @Test func numbersOfAFileCannotOverflow() {
    var trace = Self.trace([["a"], ["a"], ["b"]], weight: .max)
    trace.spans = [Span(hostcall: 0, start: .max, duration: .max), Span(hostcall: 0, start: .min, duration: -5)]
    trace.blocked = [BlockedInterval(start: .max, duration: .max, cause: .backend, inHostcall: true)]
    trace.backendCalls = [BackendCall(name: "b", started: .min, firstByte: .max, totalNanos: .max)]
    for weight in FlameWeight.allCases { #expect(Self.tree(weight, [trace]).total >= 0) }
  }

  @Test func aStackTableMayNameWhatItDoesNotHave() {
    var trace = Self.trace([["a"]], weight: 1000)
    trace.guestStacks.samples.append(StackSample(relativeNanos: 0, stack: 99, weightNanos: 1))
    #expect(Self.tree(.cpu, [trace]).total == 1000)
  }
}

struct FlameLayoutTests {
  private static func tree(_ stacks: [([String], Int64)]) -> FlameTree {
    var builder = FlameTree.Builder(weight: .cpu)
    for (stack, amount) in stacks { builder.add(stack.map { FlameFrame(.guest, name: $0) }, amount) }
    return builder.finish()
  }

  @Test func theHeaviestIsAtTheLeftAndEqualOnesAreByName() {
    let tree = Self.tree([(["light"], 10), (["b"], 45), (["a"], 45)])
    let names = FlameLayout(of: tree).boxes.map { tree.frames[Int(tree.nodes[Int($0.node)].frame)].name }
    #expect(names == ["all", "a", "b", "light"])
  }

  @Test func childrenLieWithinTheirParent() {
    var random = SeededGenerator(seed: 7)
    let stacks = (0..<500).map { _ in
      let depth = Int.random(in: 1...8, using: &random)
      return (
        (0..<depth).map { _ in "f\(Int.random(in: 0...3, using: &random))" }, Int64.random(in: 1...999, using: &random)
      )
    }
    let tree = Self.tree(stacks)
    let layout = FlameLayout(of: tree, width: 1000, minimum: 0)
    #expect(layout.boxes.count == tree.nodes.count)
    let boxes = Dictionary(uniqueKeysWithValues: layout.boxes.map { ($0.node, $0) })
    for box in layout.boxes.dropFirst() {
      let parent = boxes[tree.nodes[Int(box.node)].parent]
      #expect(parent.map { $0.x <= box.x + 1e-6 && box.x + box.width <= $0.x + $0.width + 1e-6 } == true)
    }
    for row in Dictionary(grouping: layout.boxes, by: \.depth).values {
      let sorted = row.sorted { $0.x < $1.x }
      for (left, right) in zip(sorted, sorted.dropFirst()) { #expect(left.x + left.width <= right.x + 1e-6) }
    }
  }

  @Test func whatIsTooNarrowIsLeftOutAndCounted() {
    let layout = FlameLayout(of: Self.tree([(["wide"], 9999), (["narrow", "above"], 1)]), width: 1000, minimum: 1)
    #expect(layout.boxes.count == 2)
    #expect(layout.hidden == 2)
  }

  @Test func anEmptyTreeHasNoBoxes() {
    #expect(FlameLayout(of: Self.tree([])).boxes.isEmpty)
  }

  @Test func manyStacksStayApart() {
    var builder = FlameTree.Builder(weight: .cpu)
    for index in 0..<5000 {
      builder.add([FlameFrame(.guest, name: "f\(index % 71)"), FlameFrame(.guest, name: "g\(index)")], 1)
    }
    let tree = builder.finish()
    #expect(tree.nodes.count == 1 + 71 + 5000)
    #expect(tree.nodes.dropFirst().allSatisfy { $0.total >= 1 })
  }
}

struct FlameSVGTests {
  @Test(arguments: [
    (TraceFixture.stacks, FlameWeight.cpu), (.normal, .hostcall), (.several, .blocked), (.nothing, .cpu),
  ])
  func drawingsEqualTheirGoldens(fixture: TraceFixture, weight: FlameWeight) throws {
    var builder = FlameTree.Builder(weight: weight)
    for trace in fixture.traces { builder.add(trace) }
    let svg = FlameSVG.document(of: builder.finish(), title: "\(weight.title) of <\(fixture.rawValue)>")
    try ExportGolden.check(String(decoding: svg, as: UTF8.self), "\(fixture.rawValue).flame-\(weight.rawValue).svg")
  }

  @Test func namesFromFilesAreOnlyText() {
    var builder = FlameTree.Builder(weight: .cpu)
    let name = "</title><script>alert(\"1\")</script>&\u{0}\u{1B}[2J\u{85}é"
    builder.add([FlameFrame(.guest, name: name, detail: "\"onload='x'")], 1000)
    let svg = String(decoding: FlameSVG.document(of: builder.finish(), title: name), as: UTF8.self)
    #expect(!svg.contains("<script"))
    #expect(!svg.contains("onload='"))
    #expect(svg.contains("&lt;script&gt;"))
    #expect(svg.contains("é"))
    #expect(!svg.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F...0x9F).contains($0.value) })
  }

  @Test func aPartOfAPageHasNoStylesOfItsOwn() {
    var builder = FlameTree.Builder(weight: .cpu)
    builder.add([FlameFrame(.guest, name: "main")], 1000)
    let svg = FlameSVG.fragment(of: builder.finish())
    #expect(!svg.contains("style"))
    #expect(svg.hasPrefix("<svg class=\"flame\""))
    #expect(svg.contains("<title>main: 1.00 µs (100 %)</title>"))
  }
}

struct TraceRoutePatternTests {
  @Test(arguments: [
    ("/items", "GET /items", true), ("/items", "POST /items", true), ("/items", "GET /items/1", false),
    ("/items/*", "GET /items/1", true), ("/items/*", "GET /items", false), ("POST /items", "GET /items", false),
    ("POST /items", "POST /items", true), ("*", "GET /anything", true), ("GET *", "POST /", false), ("/", "GET ", true),
  ])
  func aPatternMeansSomeRoutes(pattern: String, route: String, isMeant: Bool) throws {
    let words = route.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let route = TraceRoute(method: words[0], path: words[1])
    #expect(try #require(TraceRoutePattern(pattern)).matches(route) == isMeant)
  }

  @Test(arguments: ["", " ", "items", "GET", "GET items", "/a*b", "/a?b=1", " /a"])
  func anythingElseIsNoPattern(text: String) { #expect(TraceRoutePattern(text) == nil) }

  @Test(arguments: ["/items", "GET /items/*", "*", "POST *"])
  func aPatternIsWrittenAsItWasRead(text: String) { #expect(TraceRoutePattern(text)?.description == text) }
}

struct TraceInstantTests {
  private let now: Int64 = 1_767_225_600_000_000_000

  @Test func aTimeAgoIsCountedBack() {
    #expect(TraceInstant.parse("90s", now: now) == now - 90_000_000_000)
    #expect(TraceInstant.parse("1.5h", now: now) == now - 5_400_000_000_000)
    #expect(TraceInstant.parse("2d", now: now) == now - 172_800_000_000_000)
  }

  @Test func aDateIsReadWithAndWithoutFractions() {
    #expect(TraceInstant.parse("2026-01-01T00:00:00Z", now: 0) == now)
    #expect(TraceInstant.parse("2026-01-01T01:00:00+01:00", now: 0) == now)
    #expect(TraceInstant.parse("2026-01-01T00:00:00.250Z", now: 0) == now + 250_000_000)
  }

  @Test(arguments: ["", "10", "m", "-5m", "yesterday", "2026-01-01", "1e9d", "nand"])
  func anythingElseIsNoInstant(text: String) { #expect(TraceInstant.parse(text, now: now) == nil) }
}
