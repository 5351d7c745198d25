import CTimestamp
import FastlikeProfile

/// Many traces taken together: a flame graph of a million samples, a comparison of twice ten thousand requests.
enum AnalysisBenchmark {
  static let all = [
    Benchmark(
      name: "flame", title: "1,000,000 samples of 256 requests added up and drawn as SVG",
      metrics: [Metric("flame graph", .nanoseconds, target: .atMost(500e6))], measure: flame),
    Benchmark(
      name: "compare", title: "2 × 10,000 requests compared, 1,000 draws of each figure",
      metrics: [Metric("comparison", .nanoseconds, target: .atMost(2e9))], measure: compare),
  ]

  private static let samplesEach = 3907

  /// Numbers that look random and are the same in every run (Knuth's MMIX generator).
  private struct Numbers {
    private var state: UInt64 = 1

    mutating func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
  }

  @Sendable
  private static func flame(_ workbench: Workbench) throws -> [Double] {
    var numbers = Numbers()
    let traces = (0..<256).map { index in
      var table = StackTable.Builder()
      let frames = (0..<200).map { table.internFrame(StackFrame(name: "function_\($0)", module: "app.wasm")) }
      // Stacks of 10 to 29 frames, of which each request has some hundreds.
      let stacks = (0..<400).compactMap { _ in
        let first = numbers.below(8)
        return table.internStack(leafFirst: (0..<10 + numbers.below(20)).map { frames[(first + $0 * 7) % 200] })
      }
      let samples = (0..<samplesEach).map { sample in
        StackSample(
          relativeNanos: Int64(sample) * 1000, stack: stacks[numbers.below(stacks.count)], weightNanos: 1_000_000)
      }
      return RequestTrace(
        id: UInt64(index + 1), guestStacks: StackProfile(table: table.finish(), samples: samples))
    }
    let begin = ctimestamp_monotonic()
    var builder = FlameTree.Builder(weight: .cpu)
    for trace in traces { builder.add(trace) }
    let svg = FlameSVG.document(of: builder.finish(), title: "Guest CPU")
    let end = ctimestamp_monotonic()
    guard svg.count > 10_000 else { throw BenchmarkFailure("the drawing came out empty") }
    return [Double(end - begin)]
  }

  @Sendable
  private static func compare(_ workbench: Workbench) throws -> [Double] {
    let names = HostcallNameTable(names: (0..<30).map { "module.hostcall_\($0)" })
    var numbers = Numbers()
    let sets = (0..<2).map { _ in
      (0..<10_000).map { index in
        let spans = (0..<30).map {
          Span(hostcall: UInt16($0 + 1), start: Int64($0) * 100_000, duration: Int64(10_000 + numbers.below(20_000)))
        }
        let guest = Int64(5_000_000 + numbers.below(1_000_000))
        return RequestTrace(
          id: UInt64(index + 1), url: RedactedURL("/items/\(index % 20)"), status: 200,
          wallStartUnixNanos: Int64(index) * 1_000_000, wallNanos: guest + 600_000,
          time: TimeAccount(guest: guest, host: 600_000), hostcalls: names, spans: spans)
      }
    }
    let begin = ctimestamp_monotonic()
    let built = sets.map { traces in
      var builder = TraceSet.Builder(name: "")
      for trace in traces { builder.add(trace) }
      return builder.finish()
    }
    let comparison = TraceComparison(before: built[0], after: built[1])
    let end = ctimestamp_monotonic()
    guard comparison.tables.count > 3 else { throw BenchmarkFailure("the comparison came out empty") }
    return [Double(end - begin)]
  }
}
