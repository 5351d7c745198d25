import CTimestamp
import FastlikeProfile

/// The time to write a full trace in each format.
enum EncodingBenchmark {
  static let all = [
    Benchmark(
      name: "encode", title: "Encoding a trace of 8,000 spans and 512 backend calls",
      metrics: TraceExportFormat.allCases.map { format in
        Metric(format.rawValue, .nanoseconds, target: target(of: format))
      }, measure: measure)
  ]

  private static func target(of format: TraceExportFormat) -> Metric.Target? {
    switch format {
    case .json: .atMost(5e6)
    case .firefox, .chrome: .atMost(15e6)
    case .pprof: .atMost(10e6)
    default: nil
    }
  }

  @Sendable
  private static func measure(_ workbench: Workbench) throws -> [Double] {
    let trace = FullTrace.make()
    return try TraceExportFormat.allCases.map { format in
      let times = try (0..<9).map { _ in
        let begin = ctimestamp_monotonic()
        let bytes = format.encode(trace)
        let end = ctimestamp_monotonic()
        guard !bytes.isEmpty else { throw BenchmarkFailure("\(format.rawValue) came out empty") }
        return Double(end - begin)
      }
      return times.median ?? 0
    }
  }
}
