import CTimestamp
import ComputeABI
import FastlikeRuntime
import Wasmtime

/// What it takes to have an instance of a guest.
enum InstantiationBenchmark {
  static let all = [
    Benchmark(
      name: "instantiate", title: "Minimal guest, in this process",
      metrics: [Metric("instantiate", .nanoseconds), Metric("store, instance, and their end", .nanoseconds)],
      measure: measure)
  ]

  private static let count = 5_000

  @Sendable
  private static func measure(_ workbench: Workbench) async throws -> [Double] {
    let engine = Engine()
    return try instantiate(
      Program.load(path: workbench.guest("hello"), settings: engine.settings, engine: { engine }, cache: nil))
  }

  private static func instantiate(_ program: Program) throws -> [Double] {
    var instantiations: [Double] = []
    var lifetimes: [Double] = []
    for _ in 0..<count {
      let begin = ctimestamp_monotonic()
      let instantiated = try oneLife(of: program)
      let end = ctimestamp_monotonic()
      instantiations.append(Double(instantiated))
      lifetimes.append(Double(end - begin))
    }
    return [instantiations.median ?? 0, lifetimes.median ?? 0]
  }

  /// The nanoseconds of the instantiation alone.
  private static func oneLife(of program: Program) throws -> UInt64 {
    let context = HostcallContext()
    return try withExtendedLifetime(context) {
      let fiber = Fiber(program.prepared, data: context.opaque, memoryLimit: 128 * 1024 * 1024)
      let begin = ctimestamp_monotonic()
      fiber.instantiate()
      guard case .done = fiber.poll() else { throw BenchmarkFailure("the guest was not instantiated at once") }
      return ctimestamp_monotonic() - begin
    }
  }
}
