/// All benchmarks, in the order of the table.
enum Catalogue {
  static let all =
    ThroughputBenchmarks.all + TracingBenchmark.all + TracingTurnsBenchmark.all + PushBenchmark.all
    + CacheBenchmarks.all + HTTP2Benchmarks.all
    + SuspensionBenchmarks.all
    + StartBenchmarks.all
    + HostcallBenchmarks.all + SamplingBenchmark.all
    + InstantiationBenchmark.all + RequestPathBenchmark.all + RecordingBenchmarks.all + EncodingBenchmark.all
    + SampleImportBenchmark.all
    + TraceStoreBenchmark.all + StoreBenchmarks.all + AnalysisBenchmark.all

  static func matching(_ prefix: String) -> [Benchmark] { all.filter { $0.name.hasPrefix(prefix) } }
}
