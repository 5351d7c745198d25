import CTimestamp
import FastlikeProfile

/// Reading from a store that holds many traces.
enum TraceStoreBenchmark {
  static let all = [
    Benchmark(
      name: "store", title: "Store with 100,000 traces",
      metrics: [
        Metric("get by id", .nanoseconds, target: .atMost(1_000)),
        Metric("newest 100", .nanoseconds, target: .atMost(50_000)),
      ], measure: measure)
  ]

  private static let traces: UInt64 = 100_000

  @Sendable
  private static func measure(_ workbench: Workbench) throws -> [Double] {
    let store = ProfileStore(settings: ProfileStoreSettings(retain: Int(traces)))
    for id in 1...traces {
      store.complete(RequestTrace(id: id, moduleID: "0011223344556677", status: 200, wallNanos: 1_000))
    }
    return [try get(from: store), try newest(of: store)]
  }

  /// In an order in which no two neighbours follow each other.
  private static func get(from store: ProfileStore) throws -> Double {
    var found: UInt64 = 0
    var id: UInt64 = 1
    let begin = ctimestamp_monotonic()
    for _ in 0..<traces {
      id = (id + 61_803) % traces
      if store.trace(id: id + 1)?.status == 200 { found += 1 }
    }
    let time = Double(ctimestamp_monotonic() - begin) / Double(traces)
    guard found == traces else { throw BenchmarkFailure("\(traces - found) traces were not found") }
    return time
  }

  private static func newest(of store: ProfileStore) throws -> Double {
    let times = try (0..<1_000).map { _ in
      let begin = ctimestamp_monotonic()
      let newest = store.recent(100)
      let end = ctimestamp_monotonic()
      guard newest.count == 100, newest[0].id == traces else { throw BenchmarkFailure("the newest traces are wrong") }
      return Double(end - begin)
    }
    return times.median ?? 0
  }
}
