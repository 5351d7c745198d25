import Foundation
import Synchronization
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

  // MARK: Recorders that are used again

  /// Records a request with something of everything.
  private func fill(_ recorder: TraceRecorder) {
    for _ in 0..<3 {
      recorder.beginSpan(hostcall: 1)
      recorder.label(.kvStore, "earlier")
      recorder.suspend(cause: .backend)
      recorder.endSpan(status: 4)
    }
    let call = recorder.backendCall(to: "earlier", method: "GET", url: RedactedURL("/earlier"), variant: .send)
    recorder.finishBackendCall(call, outcome: .ok, status: 200)
    let frame = recorder.internGuestFrame(StackFrame(name: "earlier", module: "m", kind: .guest))
    recorder.guestStack(leafFirst: [frame], weightNanos: 1)
    recorder.memoryGrew(from: 1, to: 2, stack: [])
    recorder.dropGuestSamples(1)
    recorder.sampleMemory(bytes: 1)
    recorder.updateDeep { $0.bumpStoreAccess(kind: .kv, name: "earlier") }
    recorder.recordSetup(nanoseconds: 1)
    recorder.responseHead(status: 500)
    recorder.responseBody(bytes: 9)
    recorder.setOutcome(.trap)
    recorder.note("earlier")
  }

  @Test func aRecorderThatIsUsedAgainHoldsNothingOfTheRequestBefore() throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 1), mode: .deep)
    let used = try withFilledRecorder(in: store) { ObjectIdentifier($0) }
    store.begin(head("/second"))?.finish()
    let recorder = try #require(store.begin(head("/third")))
    #expect(ObjectIdentifier(recorder) == used)
    #expect(store.inFlight().map(\.url.path) == ["/third"])
    let trace = recorder.finish()
    var expected = RequestTrace(id: 3)
    expected.moduleID = "m"
    expected.method = "GET"
    expected.url = RedactedURL("/third")
    expected.deep = DeepMetrics()
    // What differs from one recording to the next, and what is the same in all.
    expected.processID = trace.processID
    expected.wallStartUnixNanos = trace.wallStartUnixNanos
    expected.monotonicStartNanos = trace.monotonicStartNanos
    expected.wallNanos = trace.wallNanos
    expected.time = TimeAccount(
      closing: trace.wallNanos, queue: 0, setup: 0, host: 0, blocked: BlockedTime(), blockedInHostcalls: 0)
    #expect(trace == expected)
  }

  private func withFilledRecorder<Result>(
    in store: ProfileStore, _ body: (TraceRecorder) -> Result
  ) throws -> Result {
    let recorder = try #require(store.begin(head("/first")))
    fill(recorder)
    recorder.finish()
    return body(recorder)
  }

  @Test func blockedTimeThatWasNotKeptDoesNotGoOnInTheNextRequest() throws {
    let store = ProfileStore(limits: TraceLimits(blockedIntervals: 0))
    let used = try finishBlockedRequest(in: store)
    // Who reads the store has the traces packed, and their recorders used again.
    #expect(store.count == 1)
    let next = try #require(store.begin(head()))
    #expect(ObjectIdentifier(next) == used)
    #expect(next.finish().time.blocked == BlockedTime())
  }

  private func finishBlockedRequest(in store: ProfileStore) throws -> ObjectIdentifier {
    let recorder = try #require(store.begin(head()))
    recorder.suspend(cause: .timer)
    usleep(100)
    #expect(recorder.finish().time.blocked.timer > 0)
    return ObjectIdentifier(recorder)
  }

  @Test func recordersThatWaitLetGoOfLargeTracesWhenTheStoreIsRead() throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 1))
    weak var kept: GuestNames?
    do {
      let names = GuestNames()
      kept = names
      let recorder = try #require(store.begin(head()))
      recorder.guestStack(leafFirst: [1], namedBy: names)
      recorder.close()
    }
    #expect(kept != nil)
    store.complete(RequestTrace(id: 100))
    #expect(store.count == 1)
    #expect(kept == nil)
  }

  private final class GuestNames: GuestFrameNames {
    func frame(of word: UInt) -> StackFrame? { StackFrame(name: "\(word)") }
  }

  @Test(arguments: [1, 7, 8, 9, 40]) func whatEndedIsThereAtOnce(count: Int) {
    let store = ProfileStore(hostcalls: TraceSamples.hostcalls)
    for number in 1...count {
      let recorder = store.begin(head("/\(number)"))
      recorder?.beginSpan(hostcall: 1)
      recorder?.endSpan(status: 0)
      recorder?.close()
    }
    #expect(store.recent().map(\.url.path) == (1...count).reversed().map { "/\($0)" })
    #expect(store.recent().allSatisfy { $0.spans.count == 1 })
    #expect(store.statistics.completed == count)
    #expect(store.inFlight().isEmpty)
  }

  @Test func aTraceFromElsewhereComesBehindThoseThatEndedBefore() {
    let store = ProfileStore()
    for _ in 0..<3 { store.begin(head())?.close() }
    store.complete(RequestTrace(id: 100))
    store.begin(head())?.close()
    #expect(store.recentIDs() == [101, 100, 3, 2, 1])
  }

  @Test func anObserverIsNotToldOfWhatEndedBefore() {
    let store = ProfileStore()
    let seen = Mutex<[UInt64]>([])
    for _ in 0..<3 { store.begin(head())?.close() }
    let observation = store.observeFinished { request in seen.withLock { $0.append(request.id) } }
    for _ in 0..<2 { store.begin(head())?.close() }
    observation.cancel()
    store.begin(head())?.close()
    #expect(seen.withLock { $0 } == [4, 5])
    #expect(store.recentIDs() == [6, 5, 4, 3, 2, 1])
  }

  @Test func whatEndedIsForgottenWithTheOthers() {
    let store = ProfileStore(countsTotals: true)
    for _ in 0..<3 { store.begin(head())?.close() }
    store.removeAll()
    #expect(store.count == 0)
    #expect(store.statistics.completed == 3)
    #expect(store.totals?.requests.values.reduce(0, +) == 3)
  }

  @Test func requestsEndInAnyOrder() {
    let store = ProfileStore()
    var recorders = (1...5).map { _ in store.begin(head()) }
    recorders[2]?.close()
    recorders[0]?.close()
    recorders[4] = nil
    #expect(store.inFlight().map(\.id) == [2, 4])
    #expect(store.recentIDs() == [1, 3])
    recorders[3]?.close()
    recorders[1]?.close()
    #expect(store.inFlight().isEmpty)
  }

  @Test func aRequestThatWaitedBeganWhenItArrived() throws {
    let store = ProfileStore()
    let arrival = MonotonicInstant.now
    usleep(2000)
    let recorder = try #require(
      store.begin(module: TracedModule(id: "m", name: ""), method: "GET", target: "/", arrivedAt: arrival))
    let trace = recorder.finish()
    #expect(trace.monotonicStartNanos == arrival.monotonic)
    #expect((2_000_000...trace.wallNanos).contains(trace.time.queue))
    // Where the processor's counter is not known, the system's clock tells the same.
    let later = try #require(
      store.begin(
        module: TracedModule(id: "m", name: ""), method: "GET", target: "/",
        arrivedAt: MonotonicInstant(monotonic: arrival.monotonic))
    ).finish()
    #expect(later.monotonicStartNanos == arrival.monotonic)
    #expect(later.time.queue > trace.time.queue)
  }

  @Test func ofRecordersThatWaitOneThatNobodyHoldsIsTaken() throws {
    let hostcalls = HostcallNameTable.empty
    var stack = RecorderStack()
    var held = [5, 4, 1].map { TraceRecorder(id: $0, head: head(), hostcalls: hostcalls) }
    stack.push(held[2])
    stack.push(TraceRecorder(id: 2, head: head(), hostcalls: hostcalls))
    stack.push(TraceRecorder(id: 3, head: head(), hostcalls: hostcalls))
    stack.push(held[1])
    stack.push(held[0])
    #expect(stack.popUnshared()?.id == 3)
    // Of those that somebody holds the topmost one stays.
    #expect(stack.count == 3)
    stack.reverse()
    held.removeAll()
    let ids = [stack.pop()?.id, stack.popUnshared()?.id, stack.pop()?.id, stack.pop()?.id]
    #expect(ids == [1, 2, 5, nil])
  }

  @Test func recordersThatSomebodyHoldsDoNotKeepOthersFromBeingUsedAgain() throws {
    let store = ProfileStore()
    let held = (0..<100).map { _ in store.begin(head()) }
    for recorder in held { recorder?.close() }
    for _ in 0..<3 {
      let used = try finishBlockedRequest(in: store)
      #expect(store.count > 0)
      let next = try #require(store.begin(head()))
      #expect(ObjectIdentifier(next) == used)
      next.close()
    }
    #expect(held.allSatisfy { $0?.finish().url.path == "/" })
  }

  @Test func aTargetWithMoreThanAPathIsReduced() throws {
    let store = ProfileStore()
    for target in ["/a?b=c", "http://user@host.test/d#e", "/f"] {
      store.begin(module: TracedModule(id: "m", name: ""), method: "PUT", target: target)?.close()
    }
    #expect(store.recent().map(\.url) == ["/f", "http://host.test/d", "/a"].map { RedactedURL($0) })
    #expect(store.recent().allSatisfy { $0.method == "PUT" })
  }

  @Test func aRecorderThatSomebodyHoldsIsNotUsedAgain() throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 1))
    let held = try #require(store.begin(head("/held")))
    held.finish()
    for _ in 0..<10 { store.begin(head("/later"))?.finish() }
    #expect(held.finish().url.path == "/held")
    #expect(store.recent().map(\.url.path) == ["/later"])
  }

  @Test func aTraceThatWasReadOutlivesItsRecorder() throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 1), mode: .deep)
    let first = try withFilledRecorder(in: store) { $0.finish() }
    let before = first
    for _ in 0..<5 { try withFilledRecorder(in: store) { _ in } }
    #expect(first == before)
    #expect(first.id == 1 && first.spans.count == 3 && first.labels.count == 2)
  }

  @Test func theNewestOfAllThreadsAreKept() async {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 10))
    let threads = (0..<20).map { number in
      Thread { for _ in 0..<50 { store.begin(head("/\(number)"))?.finish() } }
    }
    for thread in threads { thread.start() }
    while !threads.allSatisfy(\.isFinished) { try? await Task.sleep(for: .milliseconds(1)) }
    store.begin(head("/last"))?.finish()
    #expect(store.count == 10)
    #expect(store.recent().count == 10)
    #expect(store.recent(1).map(\.url.path) == ["/last"])
    #expect(store.statistics == ProfileStore.Statistics(completed: 1001, evicted: 991))
    #expect(store.recent().allSatisfy { store.trace(id: $0.id) == $0 })
  }

  @Test func whatComesAfterTheEndChangesNothing() throws {
    let store = ProfileStore(mode: .deep)
    let recorder = try #require(store.begin(head()))
    recorder.sampleMemory(bytes: 1)
    let before = recorder.finish()
    recorder.updateDeep { $0.cacheLookups += 1 }
    recorder.sampleMemory(bytes: 2)
    recorder.dropGuestSamples(1)
    recorder.recordFuel(1)
    #expect(recorder.finish() == before)
    #expect(before.deep?.heapSamples.count == 1)
  }

  @Test func aRecorderThatSamplingLeavesOutGivesItsTraceAllTheSame() throws {
    let sampling = TraceSampling(oneIn: 1000, keepsErrors: false, slowest: 0)
    let store = ProfileStore(settings: ProfileStoreSettings(sampling: sampling))
    store.begin(head())?.finish()
    let recorder = try #require(store.begin(head("/left-out")))
    fill(recorder)
    for _ in 0..<100 {
      recorder.beginSpan(hostcall: 2)
      recorder.endSpan(status: 0)
    }
    recorder.close()
    #expect(store.recentIDs() == [1])
    let trace = recorder.finish()
    #expect(trace.url.path == "/left-out" && trace.spans.count == 103 && trace.backendCalls.count == 1)
    #expect(recorder.finish() == trace)
  }

  @Test func aTraceThatAnObserverKeepsStaysWhenItGaveWay() async throws {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 2))
    let kept = Mutex<[ProfileStore.FinishedRequest]>([])
    let observation = store.observeFinished { request in
      kept.withLock { if $0.count < 3 { $0.append(request) } }
    }
    for number in 0..<3 { store.begin(head("/kept-\(number)"))?.close() }
    // More than the memory of one block, and round it again.
    for _ in 0..<1000 { store.begin(head("/later"))?.close() }
    observation.cancel()
    #expect(kept.withLock { $0.map(\.trace.url.path) } == ["/kept-0", "/kept-1", "/kept-2"])
  }

  @Test func idsAreReadWithoutMakingTraces() {
    let store = ProfileStore()
    for _ in 0..<5 { store.begin(head())?.close() }
    store.complete(RequestTrace(id: 99))
    #expect(store.recentIDs() == [99, 5, 4, 3, 2, 1])
    #expect(store.recentIDs(2) == store.recent(2).map(\.id))
  }

  @Test func aTraceFromElsewhereTakesItsIDOutOfTheRow() throws {
    let store = ProfileStore()
    store.complete(RequestTrace(id: 5))
    #expect(try #require(store.begin(head())).finish().id == 6)
    #expect(store.recent().map(\.id) == [6, 5])
  }

  @Test func aStoreGoesAwayWithWhatItKeeps() {
    weak var recorder: TraceRecorder?
    do {
      let store = ProfileStore(settings: ProfileStoreSettings(retain: 1))
      recorder = store.begin(head())
      for _ in 0..<3 { store.begin(head())?.finish() }
    }
    #expect(recorder == nil)
  }

  @Test func theBindingTellsWhetherDeepIsOn() {
    #expect(ProfileBinding(store: ProfileStore(mode: .deep), moduleID: "m").isDeep)
    #expect(!ProfileBinding(store: nil, moduleID: "m").isDeep)
  }
}
