import Testing

@testable import FastlikeProfile

struct PackedTraceTests {
  /// Packs the spans of a recording that are given here, and reads them.
  private func roundTrip(
    _ spans: [Span], path: String = "/", context: TraceContext? = nil, in arena: inout PackedArena
  ) -> (kept: KeptTrace, packed: PackedTrace, trace: RequestTrace) {
    let block = RecordingBlock()
    defer { block.delete() }
    block.live.initialize(to: LiveActivity())
    let start = RecordingStart(after: nil)
    let facts = RecordedFacts(start: start, module: TracedModule(id: "m", name: "n"), httpVersion: .http2)
    var head = RecordedHead(in: block.head)
    head.put(method: "GET", url: RedactedURL(path), context: context)
    block.details.initialize(
      to: RecordingDetails(id: 7, head: head, facts: facts, limits: TraceLimits(), isDeep: false))
    block.core.initialize(
      to: RecordingCore(first: block.first, start: start, scale: 0, cap: TraceLimits.defaultSpanCap))
    let pool = SpanChunkPool(retaining: 0)
    for span in spans {
      if block.core.pointee.cursor == block.core.pointee.limit {
        block.core.pointee.refill(cap: TraceLimits.defaultSpanCap, from: pool)
      }
      block.core.pointee.cursor.initialize(to: span)
      block.core.pointee.cursor += 1
    }
    block.core.pointee.close()
    let kept = KeptTrace(block.details, block.core, in: &arena)
    block.core.pointee.giveBack(to: pool)
    let packed = kept.packed(in: arena)
    return (kept, packed, packed.trace(TraceSamples.hostcalls))
  }

  @Test func spansComeBackAsTheyWere() {
    let day: Int64 = 86_400_000_000_000
    let spans = [
      Span(hostcall: 0, start: 0), Span(hostcall: 65_535, start: 1, duration: 2, blocked: 1, status: -1),
      Span(hostcall: 1, start: 5, duration: 1 << 32, status: .min, label0: 1, label1: .max),
      Span(hostcall: 2, start: day, duration: (1 << 32) - 1, tags: SIMD4(1, 0, 0, .max)),
      // A clock of another processor can be behind.
      Span(hostcall: 3, start: day - 1, duration: -5, blocked: .max, tags: SIMD4(0, 2, 3, 0)),
      Span(hostcall: 4, start: .max, duration: .max), Span(hostcall: 5, start: .min, duration: .min),
    ]
    var arena = PackedArena()
    let read = roundTrip(spans, in: &arena)
    #expect(read.trace.spans == spans)
    #expect(read.packed.hostcallCount == spans.count)
  }

  @Test func theHeadComesBackAsItWas() {
    var arena = PackedArena()
    for path in ["/", "/é/" + String(repeating: "x", count: 1500), "https://host.test:1/p", "h:1", ""] {
      let trace = roundTrip([], path: path, in: &arena).trace
      #expect(trace.url == RedactedURL(path))
      #expect(trace.moduleID == "m" && trace.moduleName == "n" && trace.method == "GET" && trace.httpVersion == .http2)
    }
  }

  @Test func thePlaceInADistributedTraceComesBackAsItWas() {
    var arena = PackedArena()
    for context in [
      TraceContext(traceHigh: 1, traceLow: .max, spanID: 3), nil,
      TraceContext(traceHigh: .max, traceLow: 0, spanID: 5, parentSpanID: 6, flags: 0),
    ] {
      let (_, packed, trace) = roundTrip([], context: context, in: &arena)
      #expect(trace.context == context)
      #expect(packed.isSampled == (context?.isSampled ?? true))
    }
  }

  @Test func aRecorderThatIsUsedAgainHasItsOwnHeadOnly() throws {
    let store = ProfileStore(hostcalls: TraceSamples.hostcalls)
    let long = "/" + String(repeating: "a", count: 1500)
    let context = TraceContext(traceHigh: 1, traceLow: 2, spanID: 3, flags: 0)
    for (path, context) in [("/1", nil), (long, context), ("/3?q", nil), (long, nil), ("/5", context)] {
      let recorder = try #require(
        store.begin(module: TracedModule(id: "m"), method: "GET", target: path, context: context))
      #expect(store.inFlight().map(\.url) == [RedactedURL(path)])
      #expect(recorder.head.context == context)
      recorder.close()
    }
    #expect(store.recent().reversed().map(\.url.path) == ["/1", long, "/3", long, "/5"])
    #expect(store.recent().reversed().map(\.context) == [nil, context, nil, nil, context])
  }

  @Test func whatAHostGivesInPartsIsWhatAHeadGives() throws {
    let store = ProfileStore(hostcalls: TraceSamples.hostcalls)
    let method = "GET\u{1b}[31m" + String(repeating: "x", count: 40)
    for target in ["/a?secret#f", "https://user:pw@h.test/p?q", "h:443", "*", "//x", "/\u{7f}", "", "é"] {
      store.begin(TraceHead(moduleID: "m", method: method, url: RedactedURL(target)))?.close()
      store.begin(module: TracedModule(id: "m"), method: method, target: target)?.close()
      let two = store.recent(2)
      #expect(two[0].url == two[1].url && two[0].url == RedactedURL(target))
      #expect(
        two[0].method == two[1].method
          && two[0].method == TraceHead(moduleID: "", method: method, url: RedactedURL()).method)
    }
  }

  @Test func tracesOfAnyLengthLieSideBySide() {
    var arena = PackedArena()
    var kept: [(spans: [Span], packed: PackedTrace)] = []
    for step in 0..<200 {
      let count = step.isMultiple(of: 17) ? 2000 : step % 40
      let spans = (0..<count).map { place in
        Span(hostcall: UInt16(step), start: Int64(place * 100), duration: 50, tags: SIMD4(UInt32(place), 0, 0, 0))
      }
      kept.append((spans, roundTrip(spans, in: &arena).packed))
    }
    #expect(kept.allSatisfy { $0.packed.trace(.empty).spans == $0.spans })
  }

  @Test func memoryThatSomebodyReadsIsNotUsedAgain() {
    var arena = PackedArena()
    var held: [PackedTrace] = []
    for round in 0..<2000 {
      let (kept, packed, _) = roundTrip([Span(hostcall: UInt16(round), start: 1)], in: &arena)
      if round.isMultiple(of: 150) { held.append(packed) }
      arena.giveBack(kept.facts.place)
    }
    #expect(held.map { $0.trace(.empty).spans.map(\.hostcall) } == (0..<14).map { [UInt16($0 * 150)] })
  }

  @Test func whatIsKeptOutlivesWhatIsGivenBackInAnyOrder() {
    var arena = PackedArena()
    var kept: [(place: PackedPlace, text: String)] = []
    for round in 0..<3000 {
      let text = String(repeating: "x", count: .random(in: 0...(round.isMultiple(of: 100) ? 40_000 : 400))) + "\(round)"
      kept.append((arena.pack { $0.write(text) }, text))
      // In waves, so that all of it is given back now and then.
      while kept.count > ((round / 500).isMultiple(of: 2) ? 100 : 0) {
        arena.giveBack(kept.remove(at: .random(in: 0..<kept.count)).place)
      }
      if round.isMultiple(of: 50) {
        for (place, text) in kept {
          var reader = PackedReader(place, in: arena.block(of: place))
          #expect(reader.text() == text)
        }
      }
    }
  }

  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 32, .max]) func numbersOfAnySizeComeBack(number: UInt64) {
    var arena = PackedArena()
    let place = arena.pack { writer in
      writer.write(number)
      writer.write(Int64(bitPattern: number))
      writer.write(Int64?.none)
      writer.write(whole: number)
    }
    var reader = PackedReader(place, in: arena.block(of: place))
    #expect(reader.number() == number)
    #expect(reader.nanos() == Int64(bitPattern: number))
    #expect(reader.optionalNanos() == nil)
    #expect(reader.whole(UInt64.self) == number)
  }

  @Test func textsOfAnyLengthComeBack() {
    let texts = ["", "a", "exactly15 bytes", "sixteen bytes ok", "ÄÖÜ", String(repeating: "€", count: 20_000)]
    var arena = PackedArena()
    let place = arena.pack { writer in for text in texts { writer.write(text) } }
    var reader = PackedReader(place, in: arena.block(of: place))
    for text in texts { #expect(reader.text() == text) }
  }
}

struct TraceRingTests {
  @Test func findsWhatADictionaryFinds() {
    var ring = TraceRing()
    var expected: [UInt64: UInt64] = [:]
    var order: [(id: UInt64, place: UInt64)] = []
    for place in UInt64(1)...3000 {
      let id = UInt64.random(in: 0..<500)
      ring.append(TraceRing.StoredTrace(RequestTrace(id: id, status: Int(place))), place: place)
      expected[id] = place
      order.append((id, place))
      if place.isMultiple(of: 3) {
        let oldest = order.removeFirst()
        #expect(ring.oldestPlace == oldest.place)
        #expect(ring.removeOldest()?.id == oldest.id)
        if expected[oldest.id] == oldest.place { expected[oldest.id] = nil }
      }
      // Not at each step, so that some traces come and go without being looked for.
      if place.isMultiple(of: 7) {
        let id = UInt64.random(in: 0..<500)
        #expect(ring.entry(id: id)?.place == expected[id])
      }
    }
    #expect((UInt64(0)..<510).allSatisfy { ring.entry(id: $0)?.place == expected[$0] })
    #expect(ring.newest(3).map(\.place) == [3000, 2999, 2998])
  }

  @Test func aMadeTraceIsKeptWhereItsEntryStillIs() throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 1), hostcalls: TraceSamples.hostcalls)
    store.begin(TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/a")))?.close()
    let first = try #require(store.trace(id: 1))
    #expect(store.trace(id: 1) == first)
    store.begin(TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/b")))?.close()
    #expect(store.trace(id: 1) == nil)
    #expect(store.recent().map(\.url.path) == ["/b"])
  }
}

struct HeaderNamesTests {
  private func known(_ name: String, _ names: inout HeaderNames) -> String? {
    var name = name
    return name.withUTF8 { names.name(of: UnsafeRawBufferPointer($0)) }?.name
  }

  @Test func aNameIsTheSameHoweverOftenItIsAskedFor() {
    var known = HeaderNames()
    let names =
      [
        "Content-Type", "content-type", "COOKIE", "set-cookie", "x", "", "a-name-of-sixteen", "exactly-16-bytes",
        "a-name-of-exactly-32-bytes-so-far", "upgrade-insecure-requests",
      ]
      + (0..<100).map { "x-header-\($0)" } + ["a\0", "\0", "a", "authorization"]
    for _ in 0..<3 {
      for name in names {
        var text = name
        let expected = text.withUTF8 { TraceLabel.loweredName(UnsafeRawBufferPointer($0)) }
        #expect(self.known(name, &known) == expected)
      }
    }
  }
}

struct LabelListTests {
  @Test(arguments: [3, 16, 17, 40]) func headersAndOthersShareTheirIndices(count: Int) throws {
    let limits = TraceLimits(labels: count)
    let recorder = TraceRecorder(
      id: 1, head: TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/")), hostcalls: TraceSamples.hostcalls,
      limits: limits)
    for _ in 0..<2 {
      for place in 0..<20 {
        recorder.beginSpan(hostcall: 0)
        var name = "X-\(place)"
        name.withUTF8 { recorder.label(headerName: UnsafeRawBufferPointer($0)) }
        recorder.label(.backend, "b-\(place)")
        recorder.endSpan(status: 0)
        recorder.beginSpan(hostcall: 0)
        recorder.label(.headerName, "x-\(place)")
        recorder.label(.backend, "x-\(place)")
        recorder.endSpan(status: 0)
      }
    }
    let trace = recorder.finish()
    #expect(Set(trace.labels).count == trace.labels.count)
    #expect(trace.labels.count == min(60, count + 1) + 1)
    let known = Set(trace.labels)
    for (index, span) in trace.spans.enumerated() {
      let place = index / 2 % 20
      let expected = [
        TraceLabel(kind: .headerName, name: "x-\(place)"),
        TraceLabel(kind: .backend, name: index.isMultiple(of: 2) ? "b-\(place)" : "x-\(place)"),
      ].map { known.contains($0) ? $0 : TraceLabel(kind: .other, name: "(other)") }
      #expect([span.label0, span.label1].map { trace.labels[Int($0)] } == expected)
    }
  }

  @Test func aFullTableOfNamesKnowsThoseItHas() {
    var table = NumberTable<String>(maximum: 2)
    #expect(table.number(of: "a") == 0 && table.number(of: "b") == 1)
    #expect(table.number(of: "c") == nil)
    #expect(table.number(of: "b") == 1 && (0..<2).map { table[$0] } == ["a", "b"] && table.count == 2)
  }
}

struct RecordedHeadersTests {
  private static let headers = [
    ("Host", "h"), ("accept", "*/*"), ("Cookie", "a=canary"), ("ACCEPT", "text/html"), ("Authorization", "canary"),
    ("upgrade-insecure-requests", "1"), ("x-" + String(repeating: "long-", count: 60), "v"), ("empty", ""),
  ]

  private func record(
    _ headers: [(String, String)], _ record: (UnsafeRawBufferPointer, Int) -> Void
  ) {
    for (name, value) in headers {
      var name = name
      name.withUTF8 { record(UnsafeRawBufferPointer($0), value.utf8.count) }
    }
  }

  private func recorder(_ mode: ProfileMode = .deep) -> TraceRecorder {
    TraceRecorder(
      id: 1, head: TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/")), hostcalls: TraceSamples.hostcalls,
      mode: mode)
  }

  @Test func whatWasRecordedIsReadAsASummary() throws {
    let recorder = recorder()
    recorder.recordHeaders(.request) { record(Self.headers, $0) }
    recorder.recordHeaders(.response) { record([("Gone", "")], $0) }
    recorder.recordHeaders(.response) { record([("Set-Cookie", "canary"), ("set-cookie", "")], $0) }
    let deep = try #require(recorder.finish().deep)
    #expect(deep.requestHeaders == HeaderSummary.summarize(Self.headers.map { (name: $0.0, value: $0.1) }))
    #expect(deep.responseHeaders == [HeaderSummary(name: "set-cookie", count: 2, bytes: 34)])
  }

  @Test func whatIsSummarizedAtOnceIsTheSame() throws {
    let (early, late) = (recorder(), recorder())
    early.summarizeHeaders(.request) { record(Self.headers, $0) }
    late.recordHeaders(.request) { record(Self.headers, $0) }
    #expect(early.finish().deep?.requestHeaders == late.finish().deep?.requestHeaders)
  }

  @Test func whatIsRecordedAgainIsOnlyThat() {
    let recorder = recorder()
    recorder.summarizeHeaders(.response) { record(Self.headers, $0) }
    recorder.recordHeaders(.response) { record([("host", "")], $0) }
    #expect(recorder.finish().deep?.responseHeaders == [HeaderSummary(name: "host", count: 1, bytes: 8)])
  }

  @Test func othersThanDeepRecordNone() {
    let recorder = recorder(.trace)
    recorder.recordHeaders(.request) { record(Self.headers, $0) }
    #expect(recorder.finish().deep == nil)
  }

  @Test func aRecorderThatIsUsedAgainHasItsOwnHeadersOnly() throws {
    let store = ProfileStore(mode: .deep, hostcalls: TraceSamples.hostcalls)
    for count in [3, 1, 0] {
      let recorder = try #require(store.begin(module: TracedModule(id: "m"), method: "GET", target: "/"))
      recorder.recordHeaders(.request) { record(Array(Self.headers.prefix(count)), $0) }
      recorder.close()
    }
    #expect(store.recent().map { $0.deep?.requestHeaders.count } == [0, 1, 3])
  }
}

struct TracedModuleTests {
  @Test func theSameNamesAreTheSameModule() {
    let module = TracedModule(id: "0123456789abcdef", name: "app")
    #expect(module == TracedModule(id: "0123456789abcdef", name: "app"))
    #expect(module != TracedModule(id: "0123456789abcdef", name: "other"))
    #expect(module.id == "0123456789abcdef" && module.name == "app")
  }
}
