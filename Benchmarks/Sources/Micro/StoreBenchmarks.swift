import CTimestamp
import FastlikeRuntime
import Foundation
import Logging
import Wasmtime

/// What stores cost: a guest's look-ups and counts in the real server, and a big KV store in this process.
enum StoreBenchmarks {
  static let all = [
    guest("kv-memory", "KV store in memory", kind: "kv", calls: 2_000, metric: lookup(20_000)) { _ in [] },
    guest("kv-disk", "KV store on disk", kind: "kv", calls: 2_000, metric: lookup(60_000)) { folder in
      ["--kv-dir", folder]
    },
    guest(
      "rate", "Rate counter", kind: "rate", calls: 7_500,
      metric: Metric("increment", .nanoseconds, target: .atMost(300))
    ) { _ in [] },
    Benchmark(
      name: "kv-big", title: "KV store on disk with 1,000,000 keys",
      metrics: [
        Metric("open, to the first look-up's answer", .nanoseconds, target: .atMost(2e9)),
        Metric("page of 1,000 keys", .nanoseconds, target: .atMost(5e6)),
        Metric("look-up of 16 bytes", .nanoseconds, target: .atMost(60_000)),
      ], measure: measureBigStore),
  ]

  private static func lookup(_ nanoseconds: Double) -> Metric {
    Metric("look-up of 1 KiB, read to its end", .nanoseconds, target: .atMost(nanoseconds))
  }

  // MARK: A guest's calls

  private static func guest(
    _ name: String, _ title: String, kind: String, calls: Int, metric: Metric,
    flags: @escaping @Sendable (String) -> [String]
  ) -> Benchmark {
    Benchmark(name: name, title: title, metrics: [metric]) { workbench in
      let folder = workbench.folder.appendingPathComponent("\(name)-\(UUID().uuidString)").path
      return try await ServerProcess.serving(
        workbench.guest("hostcalls"), on: workbench, arguments: ["--profile", "off", "--kv", "s"] + flags(folder)
      ) { server in
        // Calls of one guest less those of another leave out what a request costs besides.
        let many = try await HostcallBenchmarks.time(of: calls, kind: "/" + kind, requests: 50, server)
        let few = try await HostcallBenchmarks.time(of: calls / 10, kind: "/" + kind, requests: 50, server)
        return [(many - few) / Double(calls - calls / 10)]
      }
    }
  }

  // MARK: A big store

  private static let keys = 1_000_000
  private static let store = "big"

  @Sendable
  private static func measureBigStore(_ workbench: Workbench) async throws -> [Double] {
    let folder = workbench.folder.appendingPathComponent("kv-big").path
    let engine = Engine()
    let program = try Program.load(
      path: workbench.guest("hello"), settings: engine.settings, engine: { engine }, cache: nil)
    // Filling it is not what is measured, so it is done once for all runs.
    if !FileManager.default.fileExists(atPath: folder) { try await fill(folder, program) }
    let begin = ctimestamp_monotonic()
    let (inventory, shared) = open(folder, program, seed: nil)
    try await check(inventory, key(keys / 2))
    let opened = ctimestamp_monotonic() - begin
    let pages = try await times(of: 50) { number in
      let page = await inventory.kvKeys(
        of: store, prefix: "", after: key(number * 19_997 % (keys - 2_000)), limit: 1_000)
      guard page?.keys.count == 1_000 else { throw BenchmarkFailure("a page has \(page?.keys.count ?? 0) keys") }
    }
    let lookups = try await times(of: 2_000) { try await check(inventory, key($0 * 61_803 % keys)) }
    shared.closeStores()
    return [Double(opened), pages, lookups]
  }

  private static func key(_ number: Int) -> String {
    let digits = String(number)
    return "key-" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func fill(_ folder: String, _ program: Program) async throws {
    var seed = KVStoreSeed()
    seed.items.reserveCapacity(keys)
    for number in 0..<keys { seed.items[key(number)] = .init(value: Array("0123456789abcdef".utf8)) }
    let (inventory, shared) = open(folder, program, seed: seed)
    try await check(inventory, key(0))
    shared.closeStores()
  }

  private static func open(
    _ folder: String, _ program: Program, seed: KVStoreSeed?
  ) -> (StoreInventory, Service.Shared) {
    let logger = Logger(label: "bench")
    let shared = Service.Shared(logger: logger)
    var configuration = ServiceConfiguration()
    configuration.kvDirectory = folder
    if let seed { configuration.kvStores[store] = seed }
    let service = Service(
      program: program, configuration: configuration, clock: nil, traces: nil, logs: LogRouter(), logger: logger,
      shared: shared)
    return (StoreInventory(of: service), shared)
  }

  private static func check(_ inventory: StoreInventory, _ key: String) async throws {
    guard await inventory.kvValue(of: key, in: store)?.count == 16 else {
      throw BenchmarkFailure("\(key) was not found")
    }
  }

  /// The median of the nanoseconds that each of so many runs took.
  private static func times(of count: Int, _ run: (Int) async throws -> Void) async throws -> Double {
    var times: [Double] = []
    for number in 0..<count {
      let begin = ctimestamp_monotonic()
      try await run(number)
      times.append(Double(ctimestamp_monotonic() - begin))
    }
    return times.median ?? 0
  }
}
