import Testing

@testable import FastlikeProfile

struct ProfileStoreTests {
  private func head(_ path: String = "/") -> TraceHead {
    TraceHead(moduleID: "m", method: "GET", url: RedactedURL(path))
  }

  @Test func aBegunRequestIsRunningUntilItIsFinished() throws {
    let store = ProfileStore()
    let first = try #require(store.begin(head("/a")))
    let second = try #require(store.begin(head("/b")))
    #expect(store.inFlight().map(\.id) == [1, 2])
    #expect(store.inFlight().map(\.url.path) == ["/a", "/b"])
    #expect(store.recent().isEmpty)
    second.finish()
    #expect(store.inFlight().map(\.id) == [1])
    #expect(store.recent().map(\.id) == [2])
    first.finish()
    #expect(store.recent().map(\.id) == [1, 2])
  }

  @Test func runningRequestsTellTheirHostcallAndWhatTheyWaitFor() throws {
    let store = ProfileStore(hostcalls: TraceSamples.hostcalls)
    let recorder = try #require(store.begin(head()))
    #expect(store.inFlight().map(\.hostcall) == [nil])
    recorder.beginSpan(hostcall: 1)
    recorder.suspend(cause: .backend)
    #expect(store.inFlight().map(\.hostcall) == ["fastly_http_req.send"])
    #expect(store.inFlight().map(\.blockedOn) == [.backend])
    recorder.resume()
    #expect(store.inFlight().map(\.blockedOn) == [nil])
    recorder.endSpan(status: 0)
    #expect(store.inFlight().map(\.hostcall) == [nil])
  }

  @Test func modeOffRecordsNothing() {
    #expect(ProfileStore(mode: .off).begin(head()) == nil)
  }

  @Test func aRecorderThatGoesAwayUnfinishedIsNotRunningAnyMore() {
    let store = ProfileStore()
    do {
      let recorder = store.begin(head())
      recorder?.beginSpan(hostcall: 0)
    }
    #expect(store.inFlight().isEmpty)
    #expect(store.recent().isEmpty)
    #expect(store.statistics.abandoned == 1)
  }

  @Test(arguments: [1, 2, 3, 7]) func theOldestTracesGiveWay(retain: Int) {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: retain))
    for id in 1...20 { store.complete(RequestTrace(id: UInt64(id))) }
    #expect(store.recent().map(\.id) == (0..<retain).map { UInt64(20 - $0) })
    #expect(store.trace(id: 20) != nil)
    #expect(store.trace(id: UInt64(20 - retain)) == nil)
    #expect(store.statistics.evicted == 20 - retain)
  }

  @Test func findsATraceByItsID() {
    let store = ProfileStore()
    for id in 1...10 { store.complete(RequestTrace(id: UInt64(id), status: id)) }
    #expect(store.trace(id: 4)?.status == 4)
    #expect(store.trace(id: 11) == nil)
  }

  @Test func recentGivesTheNewestFirst() {
    let store = ProfileStore()
    for id in 1...10 { store.complete(RequestTrace(id: UInt64(id))) }
    #expect(store.recent(3).map(\.id) == [10, 9, 8])
    #expect(store.recent(0).count == 10)
    #expect(store.recent(-1).count == 10)
    #expect(store.recent(100).count == 10)
  }

  @Test func aSmallerRetentionEvictsAtOnceAndALargerOneKeeps() {
    let store = ProfileStore()
    for id in 1...10 { store.complete(RequestTrace(id: UInt64(id))) }
    store.retain = 3
    #expect(store.recent().map(\.id) == [10, 9, 8])
    store.retain = 5
    for id in 11...13 { store.complete(RequestTrace(id: UInt64(id))) }
    #expect(store.recent().map(\.id) == [13, 12, 11, 10, 9])
    #expect(store.trace(id: 8) == nil)
  }

  @Test func settingsHaveDefaultsAndAreClamped() {
    let store = ProfileStore()
    #expect(store.retain == 256)
    #expect(store.backendCap == 512)
    #expect(store.asyncGrace == .milliseconds(100))
    store.retain = -1
    store.backendCap = 0
    store.asyncGrace = .seconds(-1)
    #expect(store.retain == 256)
    #expect(store.backendCap == 512)
    #expect(store.asyncGrace == .zero)
    store.backendCap = 7
    #expect(store.begin(head())?.limits.backendCalls == 7)
  }

  @Test func thePageAndDirectoryAreSettings() {
    let store = ProfileStore()
    #expect(store.directory.isEmpty && store.pageAddress.isEmpty && store.pageToken.isEmpty && !store.pageInsecure)
    store.directory = "d"
    store.pageAddress = "localhost:1"
    store.pageToken = "t0ken"
    store.pageInsecure = true
    #expect(store.directory == "d" && store.pageAddress == "localhost:1" && store.pageToken == "t0ken")
    #expect(store.pageInsecure)
    #expect(!store.settings.description.contains("t0ken"))
  }

  @Test func replacingChangesTracesThatAreStillThere() {
    let store = ProfileStore()
    store.complete(RequestTrace(id: 1))
    #expect(store.replace([RequestTrace(id: 1, status: 9), RequestTrace(id: 2)]) == 1)
    #expect(store.trace(id: 1)?.status == 9)
    #expect(store.trace(id: 2) == nil)
  }

  @Test func observersSeeWhatIsKeptUntilTheyEnd() async {
    let store = ProfileStore()
    await confirmation(expectedCount: 2) { seen in
      let observation = store.observe { _ in seen() }
      store.complete(RequestTrace(id: 1))
      store.complete(RequestTrace(id: 2))
      observation.cancel()
      store.complete(RequestTrace(id: 3))
    }
  }

  @Test func completionsAreAStream() async {
    let store = ProfileStore()
    let stream = store.completions()
    store.complete(RequestTrace(id: 5))
    var iterator = stream.makeAsyncIterator()
    #expect(await iterator.next()?.id == 5)
  }

  @Test func samplingKeepsOneInNAndErrorsAndTheSlowest() {
    let sampling = TraceSampling(oneIn: 10, keepsErrors: true, slowest: 1)
    let store = ProfileStore(settings: ProfileStoreSettings(sampling: sampling))
    for id in 1...100 {
      let wall: Int64 = id == 55 ? 1_000_000 : 10
      store.complete(RequestTrace(id: UInt64(id), wallNanos: wall, outcome: id == 33 ? .trap : .normal))
    }
    let kept = Set(store.recent().map(\.id))
    #expect(kept == Set([1, 11, 21, 31, 33, 41, 51, 55, 61, 71, 81, 91]))
    #expect(store.statistics.sampledOut == 88)
    #expect(store.statistics.completed == 100)
  }

  @Test func idsGoOnAfterThoseOfAnArchive() {
    let store = ProfileStore()
    store.reserveIDs(through: 41)
    #expect(store.begin(head())?.id == 42)
    store.reserveIDs(through: 5)
    #expect(store.begin(head())?.id == 43)
  }

  @Test func manyThreadsCanRecordAtOnce() async {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 50))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<100 {
            guard let recorder = store.begin(TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/"))) else {
              continue
            }
            recorder.beginSpan(hostcall: 0)
            recorder.endSpan(status: 0)
            recorder.finish()
            _ = store.recent(5)
          }
        }
      }
    }
    #expect(store.statistics.completed == 800)
    #expect(store.count == 50)
    #expect(store.inFlight().isEmpty)
    #expect(Set(store.recent().map(\.id)).count == 50)
  }

  @Test func theBindingTellsWhetherDeepIsOn() {
    #expect(ProfileBinding(store: ProfileStore(mode: .deep), moduleID: "m").isDeep)
    #expect(!ProfileBinding(store: nil, moduleID: "m").isDeep)
  }
}
