import CTimestamp
import FastlikeProfile
import Foundation

/// What recording costs the request path.
enum RecordingBenchmarks {
  static let all = [
    Benchmark(
      name: "span", title: "Recording a span, both clock readings included",
      metrics: [
        Metric("span", .nanoseconds, target: .atMost(25)),
        Metric("memory of a retained span", .bytes, target: .atMost(20)),
      ], measure: span),
    Benchmark(
      name: "trace", title: "Begin and finish of a trace in a store",
      metrics: [Metric("empty trace", .nanoseconds, target: .atMost(2_000))], measure: emptyTrace),
  ]

  private static let head = TraceHead(moduleID: "0011223344556677", method: "GET", url: RedactedURL("/"))

  @Sendable
  private static func span(_ workbench: Workbench) throws -> [Double] {
    let spans = TraceLimits.defaultSpanCap
    var times: [Double] = []
    for id in 1...300 as ClosedRange<UInt64> {
      let recorder = TraceRecorder(id: id, head: head, hostcalls: .empty)
      let begin = ctimestamp_monotonic()
      for index in 0..<spans {
        recorder.beginSpan(hostcall: UInt16(truncatingIfNeeded: index & 0xff))
        recorder.endSpan(status: 0)
      }
      times.append(Double(ctimestamp_monotonic() - begin) / Double(spans))
      guard recorder.finish().spans.count == spans else { throw BenchmarkFailure("not every span was kept") }
    }
    return [times.median ?? 0, try retained()]
  }

  /// What a store's memory grows by for each span, with many traces that are full.
  private static func retained() throws -> Double {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: 256))
    let spans = TraceLimits.defaultSpanCap
    let before = ProcessFacts.of(ProcessInfo.processInfo.processIdentifier).resident
    for _ in 0..<store.retain {
      let recorder = store.begin(head)
      for index in 0..<spans {
        recorder?.beginSpan(hostcall: UInt16(truncatingIfNeeded: index & 0xff))
        recorder?.endSpan(status: 0)
      }
      recorder?.close()
    }
    let after = ProcessFacts.of(ProcessInfo.processInfo.processIdentifier).resident
    guard store.count == store.retain else { throw BenchmarkFailure("not every trace was kept") }
    return Double(max(0, after - before)) / Double(store.retain * spans)
  }

  @Sendable
  private static func emptyTrace(_ workbench: Workbench) throws -> [Double] {
    let store = ProfileStore()
    let count = 1_000
    var times: [Double] = []
    for _ in 0..<100 {
      let begin = ctimestamp_monotonic()
      for _ in 0..<count { store.begin(head)?.close() }
      times.append(Double(ctimestamp_monotonic() - begin) / Double(count))
    }
    guard store.statistics.completed == 100 * count else { throw BenchmarkFailure("not every trace was finished") }
    return [times.median ?? 0]
  }
}
