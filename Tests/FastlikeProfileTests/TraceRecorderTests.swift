import CTimestamp
import Foundation
import Synchronization
import Testing

@testable import FastlikeProfile

struct TraceRecorderTests {
  private func recorder(
    mode: ProfileMode = .trace, limits: TraceLimits = TraceLimits(), arrivedAt: UInt64? = nil
  ) -> TraceRecorder {
    TraceRecorder(
      id: 1,
      head: TraceHead(moduleID: "m", method: "GET", url: RedactedURL("https://e.test/p?q"), arrivedAt: arrivedAt),
      hostcalls: TraceSamples.hostcalls, mode: mode, limits: limits)
  }

  @Test func aSpanIsAtMost64BytesAndHoldsNoReferences() {
    #expect(MemoryLayout<Span>.stride <= 64)
    #expect(_isPOD(Span.self))
  }

  @Test func spansKeepNameStatusTagsAndLabels() throws {
    let recorder = recorder()
    recorder.beginSpan(hostcall: 1)
    recorder.setTags(4, 5)
    recorder.setTag(3, to: 9)
    recorder.label(.backend, "origin")
    recorder.label(.headerName, "Cookie")
    recorder.label(.other, "third")
    recorder.endSpan(status: 7)
    let trace = recorder.finish()
    let span = try #require(trace.spans.first)
    #expect(trace.name(of: span) == "fastly_http_req.send")
    #expect(span.status == 7)
    #expect(span.tags == SIMD4(4, 5, 0, 9))
    #expect(
      trace.labels(of: span) == [
        TraceLabel(kind: .backend, name: "origin"), TraceLabel(kind: .headerName, name: "<redacted>"),
      ])
  }

  @Test func equalLabelsAreStoredOnce() {
    let recorder = recorder()
    for _ in 0..<5 {
      recorder.beginSpan(hostcall: 1)
      recorder.label(.backend, "origin")
      recorder.endSpan(status: 0)
    }
    let trace = recorder.finish()
    #expect(trace.labels.count == 2)
    #expect(trace.spans.allSatisfy { $0.label0 == 1 })
  }

  @Test func labelsBeyondTheCapBecomeOther() {
    let recorder = recorder(limits: TraceLimits(labels: 2))
    for index in 0..<5 {
      recorder.beginSpan(hostcall: 1)
      recorder.label(.backend, "b\(index)")
      recorder.endSpan(status: 0)
    }
    let trace = recorder.finish()
    #expect(trace.labels.map(\.name) == ["", "b0", "b1", "(other)"])
  }

  @Test func tagsAndLabelsOutsideOfASpanAreIgnored() {
    let recorder = recorder()
    recorder.setTags(1)
    recorder.label(.backend, "origin")
    recorder.endSpan(status: 1)
    let trace = recorder.finish()
    #expect(trace.spans.isEmpty)
    #expect(trace.labels == [.none])
  }

  @Test(arguments: [0, 1, 127, 128, 129, 200, 256]) func spansBeyondTheCapAreCounted(cap: Int) {
    let recorder = recorder(limits: TraceLimits(spans: cap))
    for index in 0..<300 {
      recorder.beginSpan(hostcall: 1)
      recorder.setTags(UInt32(index))
      recorder.endSpan(status: 0)
    }
    let trace = recorder.finish()
    #expect(trace.spans.count == cap)
    #expect(trace.droppedSpans == 300 - cap)
    #expect(trace.spans.map { $0.tags[0] } == (0..<cap).map { UInt32($0) })
    #expect(trace.isTruncated)
  }

  @Test func hostcallTimeIncludesSpansThatWereDropped() {
    let recorder = recorder(limits: TraceLimits(spans: 1))
    for _ in 0..<50 {
      recorder.beginSpan(hostcall: 1)
      recorder.endSpan(status: 0)
    }
    let trace = recorder.finish()
    #expect(trace.hostcallNanos >= trace.spans[0].duration)
    #expect(trace.time.total == trace.wallNanos)
  }

  @Test func aHostcallInsideOfAnotherCountsAsPartOfIt() {
    let recorder = recorder()
    recorder.beginSpan(hostcall: 1)
    recorder.beginSpan(hostcall: 2)
    recorder.endSpan(status: 5)
    recorder.endSpan(status: 6)
    let trace = recorder.finish()
    #expect(trace.spans.map(\.hostcall) == [1])
    #expect(trace.spans.map(\.status) == [6])
  }

  @Test func everyNanosecondHasAnOwner() {
    let recorder = recorder(arrivedAt: TraceClock.now() - 50_000)
    recorder.suspend(cause: .queue)
    recorder.resume()
    recorder.endSetup()
    for cause in BlockCause.allCases {
      recorder.beginSpan(hostcall: 1)
      recorder.suspend(cause: cause)
      recorder.resume()
      recorder.endSpan(status: 0)
      recorder.suspend(cause: cause)
      recorder.resume()
    }
    let trace = recorder.finish()
    #expect(trace.time.queue > 0)
    #expect(trace.time.total == trace.wallNanos)
    #expect(trace.time.guest >= 0)
    #expect(trace.time.host + trace.time.blockedInHostcalls == trace.hostcallNanos)
    for cause in BlockCause.allCases {
      let sum = trace.blocked.filter { $0.cause == cause }.reduce(0) { $0 + $1.duration }
      #expect(trace.time.blocked[cause] == sum)
    }
    #expect(trace.spans.allSatisfy { $0.blocked <= $0.duration })
    #expect(trace.blocked.count { $0.inHostcall } == BlockCause.allCases.count)
  }

  @Test func ownersThatClaimTooMuchAreCutSoThatTheAccountCloses() {
    var blocked = BlockedTime()
    blocked.backend = 80
    let account = TimeAccount(
      closing: 100, queue: 50, setup: 50, host: 15, blocked: blocked, blockedInHostcalls: 90)
    #expect(account.total == 100)
    #expect(account.blocked.backend == 80)
    #expect(account.host == 15)
    #expect(account.queue == 5)
    #expect(account.setup == 0)
    #expect(account.guest == 0)
    #expect(account.blockedInHostcalls == 80)
  }

  @Test func setUpThatIsKnownIsAdded() {
    let recorder = recorder(arrivedAt: TraceClock.now() - 1_000_000)
    recorder.recordSetup(nanoseconds: 5)
    recorder.recordSetup(nanoseconds: -5)
    let trace = recorder.finish()
    #expect(trace.time.setup <= 5)
    #expect(trace.time.total == trace.wallNanos)
  }

  @Test func suspendingAgainChangesTheCause() {
    let recorder = recorder()
    recorder.suspend(cause: .backend)
    recorder.suspend(cause: .timer)
    recorder.resume()
    recorder.resume()
    #expect(recorder.finish().blocked.map(\.cause) == [.backend, .timer])
  }

  @Test func endingASpanResumesTheGuest() {
    let recorder = recorder()
    recorder.beginSpan(hostcall: 1)
    recorder.suspend(cause: .store)
    recorder.endSpan(status: 0)
    let trace = recorder.finish()
    #expect(trace.blocked.map(\.inHostcall) == [true])
    #expect(trace.spans.count == 1)
  }

  @Test func suspensionsBeyondTheCapKeepTheirTime() {
    let recorder = recorder(limits: TraceLimits(blockedIntervals: 1))
    for _ in 0..<3 {
      recorder.suspend(cause: .client)
      recorder.resume()
    }
    let trace = recorder.finish()
    #expect(trace.blocked.count == 1)
    #expect(trace.droppedBlockedIntervals == 2)
    #expect(trace.time.total == trace.wallNanos)
  }

  @Test func finishingInsideOfAHostcallClosesIt() {
    let recorder = recorder()
    recorder.beginSpan(hostcall: 2)
    recorder.suspend(cause: .backend)
    let trace = recorder.finish()
    #expect(trace.spans.map(\.status) == [-1])
    #expect(trace.blocked.count == 1)
    #expect(trace.time.total == trace.wallNanos)
  }

  @Test func afterTheEndNothingIsRecorded() {
    let recorder = recorder(mode: .deep)
    let first = recorder.finish()
    recorder.beginSpan(hostcall: 1)
    recorder.endSpan(status: 0)
    recorder.suspend(cause: .other)
    recorder.resume()
    recorder.note("late")
    recorder.setOutcome(.trap)
    recorder.sampleMemory(bytes: 1)
    recorder.responseHead(status: 200)
    _ = recorder.backendCall(to: "b", method: "GET", url: RedactedURL(), variant: .send)
    #expect(recorder.finish() == first)
  }

  @Test func theWallTimeStopsAtTheEndAndNotAtTheFinish() {
    let recorder = recorder()
    recorder.end()
    let wall = recorder.wallNanos
    recorder.end()
    #expect(recorder.finish().wallNanos == wall)
  }

  @Test func theFirstOutcomeThatIsNotNormalStays() {
    let recorder = recorder()
    recorder.setOutcome(.normal)
    recorder.setOutcome(.panic)
    recorder.setOutcome(.contextCanceled)
    #expect(recorder.finish().outcome == .panic)
  }

  @Test func notesNameHostcallsAndCountOnly() {
    let recorder = recorder(limits: TraceLimits(notes: 3))
    recorder.note("plain")
    recorder.note(TraceNote("hostcall failed", hostcall: 1, in: TraceSamples.hostcalls))
    recorder.note(TraceNote("things", count: 3))
    recorder.note("beyond the cap")
    #expect(recorder.finish().notes.map(\.text) == ["plain", "hostcall failed: fastly_http_req.send", "things: 3"])
  }

  @Test func memoryIsSampledInDeepModeOnlyAndBeyondTheSpanCap() {
    let deep = recorder(mode: .deep, limits: TraceLimits(spans: 0, heapSamples: 2))
    for pages in [1, 1, 2, 3] {
      deep.beginSpan(hostcall: 1)
      deep.endSpan(status: 0)
      deep.sampleMemory(bytes: pages * 65_536)
    }
    let metrics = deep.finish().deep
    #expect(metrics?.heapSamples.map(\.memoryBytes) == [65_536, 131_072])
    #expect(metrics?.heapSamplesDropped == 1)
    let plain = recorder()
    plain.sampleMemory(bytes: 1)
    plain.updateDeep { $0.cacheHits += 1 }
    #expect(!plain.isDeep)
    #expect(plain.finish().deep == nil)
  }

  @Test func guestStacksAreInternedAndTheirCPUTimeAddedUp() {
    let recorder = recorder(limits: TraceLimits(guestSamples: 3))
    let main = recorder.internGuestFrame(StackFrame(name: "main"))
    let leaf = recorder.internGuestFrame(StackFrame(name: "leaf"))
    for _ in 0..<4 { recorder.guestStack(leafFirst: [leaf, main], weightNanos: 10) }
    recorder.guestStack(leafFirst: [])
    let trace = recorder.finish()
    #expect(trace.guestStacks.samples.count == 3)
    #expect(trace.droppedGuestSamples == 2)
    #expect(trace.nativeCPUNanos == 30)
    #expect(RequestTrace(id: 1, wallNanos: 29, nativeCPUNanos: 30).tellingCPUNanos == nil)
    #expect(RequestTrace(id: 1, wallNanos: 30, nativeCPUNanos: 30).tellingCPUNanos == 30)
    #expect(trace.guestStacks.table.nodes.count == 2)
    #expect(trace.guestStacks.table.framesLeafFirst(of: 1).map(\.name) == ["leaf", "main"])
  }

  @Test func theHeadIsKeptAndTheQueryIsNot() {
    let trace = recorder().finish()
    #expect(trace.url.description == "https://e.test/p")
    #expect(trace.method == "GET")
    #expect(trace.moduleID == "m")
    #expect(trace.wallStartUnixNanos > 1_700_000_000_000_000_000)
    #expect(trace.monotonicStartNanos > 0)
  }
}

struct SpanChunkPoolTests {
  @Test func finishedRecordersGiveTheirMemoryBack() {
    let pool = SpanChunkPool(retaining: 2)
    let head = TraceHead(moduleID: "", method: "GET", url: RedactedURL())
    for _ in 0..<3 {
      let recorder = TraceRecorder(
        id: 1, head: head, hostcalls: .empty, mode: .trace, limits: TraceLimits(), pool: pool)
      for _ in 0..<(SpanChunkPool.chunkCapacity * 3) {
        recorder.beginSpan(hostcall: 0)
        recorder.endSpan(status: 0)
      }
      recorder.finish()
      #expect(pool.freeCount == 2)
    }
  }

  @Test func aFinishedTraceHasNoSlack() {
    let recorder = TraceRecorder(
      id: 1, head: TraceHead(moduleID: "", method: "GET", url: RedactedURL()), hostcalls: .empty)
    for _ in 0..<5 {
      recorder.beginSpan(hostcall: 0)
      recorder.endSpan(status: 0)
    }
    let trace = recorder.finish()
    #expect(trace.spans.capacity < 8)
  }
}

struct TraceClockTests {
  @Test func withoutACounterTheSystemsClockTimesHostcalls() throws {
    let head = TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/"))
    let recorder = TraceRecorder(id: 1, head: head, hostcalls: TraceSamples.hostcalls)
    recorder.core.pointee = RecordingCore(
      first: SpanChunk(base: recorder.core.pointee.cursor), start: RecordingStart(after: nil), scale: 0,
      cap: TraceLimits.defaultSpanCap)
    for _ in 0..<3 {
      recorder.beginSpan(hostcall: 1)
      usleep(1000)
      recorder.endSpan(status: 5)
    }
    let trace = recorder.finish()
    #expect(trace.spans.map(\.status) == [5, 5, 5])
    #expect(trace.spans.map(\.duration).allSatisfy { (1_000_000..<trace.wallNanos).contains($0) })
  }

  @Test func threadsHaveNumbersOfTheirOwn() async {
    let numbers = Mutex<[UInt32]>([])
    let threads = (0..<4).map { _ in
      Thread {
        let number = ctimestamp_thread_number()
        numbers.withLock { $0.append(number == ctimestamp_thread_number() ? number : 0) }
      }
    }
    for thread in threads { thread.start() }
    while !threads.allSatisfy(\.isFinished) { try? await Task.sleep(for: .milliseconds(1)) }
    let seen = numbers.withLock { $0 }
    #expect(Set(seen).count == 4 && !seen.contains(0))
  }

  @Test func ticksBecomeNanosecondsWithoutOverflow() {
    let half = UInt64(1) << 31
    #expect(TraceClock.nanoseconds(cycles: 1000, since: 0, scale: half) == 500)
    #expect(TraceClock.nanoseconds(cycles: 1 << 60, since: 0, scale: half) == 1 << 59)
    #expect(TraceClock.nanoseconds(cycles: 5, since: 9, scale: half) == 0)
  }

  @Test func theWallClockIsThatOfTheSystem() {
    let monotonic = ctimestamp_monotonic()
    let before = Int64(Date().timeIntervalSince1970 * 1e9)
    for ahead in [0, 500_000_000, 5_000_000_000] as [UInt64] {
      let unix = TraceClock.unixNanos(atMonotonic: monotonic + ahead)
      #expect(abs(unix - before - Int64(ahead)) < 1_000_000_000)
    }
  }

  @Test func readingsAreComparableWithAnInstantOfARecorder() {
    let recorder = TraceRecorder(
      id: 1, head: TraceHead(moduleID: "", method: "GET", url: RedactedURL()), hostcalls: .empty)
    let offset = recorder.offset(ofMonotonic: TraceClock.now())
    #expect(abs(offset - recorder.now) < 1_000_000_000)
    #expect(recorder.offset(ofMonotonic: 0) == 0)
  }
}
