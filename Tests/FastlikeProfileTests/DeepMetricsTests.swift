import Testing

@testable import FastlikeProfile

struct DeepMetricsTests {
  @Test func heapSamplesOfTheSameSizeAreRecordedOnce() {
    var metrics = DeepMetrics()
    for (instant, size) in [(0, 10), (1, 10), (2, 20), (3, 20), (4, 10)] {
      metrics.addHeapSample(relativeNanos: Int64(instant), memoryBytes: Int64(size))
    }
    #expect(metrics.heapSamples.map(\.relativeNanos) == [0, 2, 4])
  }

  @Test func heapSamplesBeyondTheCapAreCounted() {
    var metrics = DeepMetrics()
    for size in 0..<1030 { metrics.addHeapSample(relativeNanos: 0, memoryBytes: Int64(size)) }
    #expect(metrics.heapSamples.count == DeepMetrics.defaultHeapSampleCap)
    #expect(DeepMetrics.defaultHeapSampleCap == 1024)
    #expect(metrics.heapSamplesDropped == 6)
  }

  @Test func aggregatesAreLeastLargestAndLast() {
    let samples = [30, 10, 40, 20].map { HeapSample(relativeNanos: 0, memoryBytes: $0) }
    let aggregates = HeapAggregates(of: samples)
    #expect((aggregates.min, aggregates.max, aggregates.final) == (10, 40, 20))
    let none = HeapAggregates(of: [])
    #expect((none.min, none.max, none.final) == (0, 0, 0))
  }

  @Test func storeAccessIsCountedAndSortedAtTheEnd() {
    var metrics = DeepMetrics()
    metrics.bumpStoreAccess(kind: .secret, name: "s")
    metrics.bumpStoreAccess(kind: .kv, name: "b")
    metrics.bumpStoreAccess(kind: .kv, name: "a")
    metrics.bumpStoreAccess(kind: .kv, name: "b")
    #expect(metrics.storeAccessCount(kind: .kv, name: "b") == 2)
    #expect(metrics.storeAccessCount(kind: .kv, name: "c") == 0)
    #expect(metrics.storeAccess.isEmpty)
    metrics.finalize()
    #expect(
      metrics.storeAccess == [
        StoreAccess(kind: .kv, name: "a", count: 1), StoreAccess(kind: .kv, name: "b", count: 2),
        StoreAccess(kind: .secret, name: "s", count: 1),
      ])
    #expect(metrics.storeAccessCount(kind: .kv, name: "b") == 0)
  }

  @Test func storesBeyondTheCapAreSummedUp() {
    var metrics = DeepMetrics()
    for index in 0..<300 { metrics.bumpStoreAccess(kind: .config, name: "\(index)") }
    metrics.finalize()
    #expect(metrics.storeAccess.first { $0.name == DeepMetrics.otherStores }?.count == 300 - DeepMetrics.storeCap)
  }

  @Test func cacheLookupsAreHitsMissesOrStale() {
    var metrics = DeepMetrics()
    metrics.addCacheLookup(found: true, usable: true, stale: false)
    metrics.addCacheLookup(found: true, usable: true, stale: true)
    metrics.addCacheLookup(found: false, usable: false, stale: false)
    #expect(metrics.cacheLookups == 3)
    #expect((metrics.cacheHits, metrics.cacheStale, metrics.cacheMisses) == (1, 1, 1))
  }
}

struct HeaderSummaryTests {
  @Test func bothWaysToASummaryWriteANameAlike() {
    for name in ["content-TYPE", "x\ny", "COOKIE", String(repeating: "a", count: 300)] {
      let row = HeaderSummary(name: name, count: 1, bytes: name.utf8.count + 5)
      #expect(HeaderSummary.summarize([(name: name, value: "v")]) == [row])
    }
    #expect(HeaderSummary(name: "x\ny", count: 1, bytes: 0).name == "X_y")
  }

  @Test func headersAreSummarisedByNameAndSorted() {
    let rows = HeaderSummary.summarize([
      (name: "x-b", value: "12"), (name: "Accept", value: "1"), (name: "X-B", value: "345"),
    ])
    #expect(
      rows == [
        HeaderSummary(name: "Accept", count: 1, bytes: 11), HeaderSummary(name: "X-B", count: 2, bytes: 19),
      ])
    #expect(rows.map(\.name) == ["Accept", "X-B"])
  }

  @Test func deniedHeadersKeepOneRowEachWithoutTheirName() {
    let denied = [
      "Cookie", "SET-COOKIE", "authorization", "Proxy-Authorization", "x-api-key", "Proxy-Authenticate",
      "WWW-Authenticate",
    ]
    let rows = HeaderSummary.summarize((denied + ["Accept"]).map { (name: $0, value: "v") })
    #expect(rows.count == 8)
    #expect(rows.prefix(7).allSatisfy { $0.name == "<redacted>" && $0.count == 1 && $0.bytes > 5 })
    #expect(rows.last?.name == "Accept")
  }

  @Test func noHeadersAreNoRows() {
    #expect(HeaderSummary.summarize([(name: String, value: String)]()).isEmpty)
  }
}

struct StackTableTests {
  @Test func stacksShareTheirCallers() {
    var builder = StackTable.Builder()
    let main = StackFrame(name: "main")
    let first = builder.intern(leafFirst: [StackFrame(name: "a"), main])
    let second = builder.intern(leafFirst: [StackFrame(name: "b"), main])
    #expect(builder.intern(leafFirst: [StackFrame(name: "a"), main]) == first)
    #expect(builder.intern(leafFirst: []) == nil)
    let table = builder.finish()
    #expect(table.nodes.count == 3)
    #expect(table.framesLeafFirst(of: second ?? 9).map(\.name) == ["b", "main"])
    #expect(table.framesLeafFirst(of: 99).isEmpty)
    #expect(table.leaf(of: first ?? 9)?.name == "a")
  }

  @Test func recursionIsKeptAndVeryDeepStacksKeepTheirInnermostFrames() {
    var builder = StackTable.Builder()
    let frame = builder.internFrame(StackFrame(name: "f"))
    let deep = builder.internStack(leafFirst: Array(repeating: frame, count: 1000))
    #expect(builder.finish().framesLeafFirst(of: deep ?? 0).count == StackTable.Builder.maximumDepth)
  }

  @Test func aSampleIsNamedByItsInnermostGuestFunction() {
    var builder = StackTable.Builder()
    let stack = builder.intern(leafFirst: [
      StackFrame(name: "memcpy", kind: .host), StackFrame(name: "guest"), StackFrame(name: "start"),
    ])
    let host = builder.intern(leafFirst: [StackFrame(name: "poll", kind: .host)])
    var trace = RequestTrace(id: 1)
    trace.nativeStacks = StackProfile(
      table: builder.finish(),
      samples: [StackSample(relativeNanos: 1, stack: stack ?? 0), StackSample(relativeNanos: 2, stack: host ?? 0)])
    #expect(trace.nativeSamples.map(\.function) == ["guest", "poll"])
    #expect(trace.nativeSamples[0].stack.count == 3)
  }

  @Test func tablesThatDoNotHoldTogetherAreRefused() {
    let frames = [StackFrame(name: "f")]
    #expect(StackTable(frames: frames, nodes: [.init(frame: 0, parent: -1), .init(frame: 0, parent: 0)]) != nil)
    #expect(StackTable(frames: frames, nodes: [.init(frame: 1, parent: -1)]) == nil)
    #expect(StackTable(frames: frames, nodes: [.init(frame: 0, parent: 0)]) == nil)
    #expect(StackTable(frames: frames, nodes: [.init(frame: 0, parent: -2)]) == nil)
  }
}
