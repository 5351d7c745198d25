import Foundation

@testable import FastlikeProfile

/// Requests of a made-up guest whose times scatter as on a real machine: single ones by chance, neighbours together, and a
/// few far out.
struct ComparisonSamples {
  var count: Int
  /// How much longer the guest computes.
  var factor = 1.0
  /// The scatter of single requests.
  var noise = 0.1
  /// The scatter that neighbours share.
  var drift = 0.01
  var path = "/items"
  /// The functions with their parts of the guest's time.
  var functions = [("hot", 0.7), ("warm", 0.2), ("cold", 0.1)]
  var hasStacks = false
  /// Time of a backend call in milliseconds; nil for none.
  var backend: Double? = 2.0
  var lookups = 3

  static let hostcalls = HostcallNameTable(names: ["fastly_kv_store.lookup", "fastly_http_req.send"])

  func set(seed: UInt64, name: String = "set") -> TraceSet {
    var builder = TraceSet.Builder(name: name)
    for trace in traces(seed: seed) { builder.add(trace) }
    return builder.finish()
  }

  func traces(seed: UInt64) -> [RequestTrace] {
    var random = Random(generator: SeededGenerator(seed: seed))
    var shared = random.normal() * drift
    var table = StackTable.Builder()
    let stacks = functions.compactMap { table.intern(leafFirst: [StackFrame(name: $0.0), StackFrame(name: "main")]) }
    let finished = table.finish()
    return (0..<count).map { index in
      shared = shared * 0.99 + random.normal() * drift * (1 - 0.99 * 0.99).squareRoot()
      var guest = 5e6 * factor * exp(noise * random.normal() + shared)
      if random.uniform() < 0.01 { guest *= 3 }
      let wait = backend.map { Int64($0 * 1e6 * exp(0.2 * random.normal())) }
      var spans = (0..<lookups).map {
        Span(hostcall: 1, start: Int64($0) * 100_000, duration: Int64(20_000 * exp(0.2 * random.normal())))
      }
      let host = spans.reduce(0) { $0 + $1.duration }
      var blocked = BlockedTime()
      if let wait {
        spans.append(Span(hostcall: 2, start: 500_000, duration: wait, blocked: wait))
        blocked.backend = wait
      }
      let wall = Int64(guest) + host + (wait ?? 0) + 10_000
      return RequestTrace(
        id: UInt64(index + 1), url: RedactedURL(path), status: 200, responseBytes: 100,
        wallStartUnixNanos: TraceFixture.wallStart + Int64(index) * 10_000_000, wallNanos: wall,
        time: TimeAccount(
          closing: wall, queue: 0, setup: 10_000, host: host, blocked: blocked, blockedInHostcalls: wait ?? 0),
        hostcalls: Self.hostcalls, spans: spans,
        backendCalls: wait.map { [BackendCall(name: "origin", totalNanos: $0, responseBodyBytes: 500, outcome: .ok)] }
          ?? [],
        guestStacks: hasStacks
          ? StackProfile(table: finished, samples: samples(guest, stacks, &random)) : .empty)
    }
  }

  /// One sample for each millisecond, from a random instant on.
  private func samples(_ guest: Double, _ stacks: [UInt32], _ random: inout Random) -> [StackSample] {
    var samples: [StackSample] = []
    var instant = random.uniform() * 1e6
    while instant < guest {
      var rest = random.uniform()
      var chosen = 0
      while chosen < functions.count - 1, rest >= functions[chosen].1 {
        rest -= functions[chosen].1
        chosen += 1
      }
      samples.append(StackSample(relativeNanos: Int64(instant), stack: stacks[chosen], weightNanos: 1_000_000))
      instant += 1e6
    }
    return samples
  }

  struct Random {
    var generator: SeededGenerator

    mutating func uniform() -> Double { Double.random(in: 0..<1, using: &generator) }

    /// Box and Muller 1958.
    mutating func normal() -> Double {
      (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
  }
}
