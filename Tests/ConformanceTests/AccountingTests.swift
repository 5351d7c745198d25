import Foundation
import Testing

/// Every nanosecond of a request has an owner: queue, setup, guest, host, or waiting by cause. The account is checked against
/// what the same trace records one by one, for each test guest.
@Suite("Conformance: time accounting", .timeLimit(.minutes(5)))
struct AccountingTests {
  /// What is asked of a guest; guests that are not named here are asked for `/`.
  private static let targets: [String: [String]] = [
    "async_io": ["/timeout?ms=20", "/plain_body", "/streaming"],
    "bodies": ["/write", "/pattern?bytes=300000", "/trailers"],
    "compute_runtime": ["/facts", "/vcpu?ms=20", "/heap"],
    "demo": ["/", "/cpu", "/error"],
    "headers": ["/request/basic", "/response/many?count=400"],
    "hostcalls": ["/3000", "/clock/3000"],
    "hello": ["/", "/"],
    "limits": ["/spin?ms=60", "/sleep?ms=40", "/grow", "/recurse"],
    "log": ["/write"],
    "lookups": ["/geo_client", "/uap"],
    "proxy": ["/hello", "/slow?ms=40", "/reset", "/status/503"],
    "requests": ["/send?path=/slow", "/select", "/streaming", "/fire_and_forget", "/getters"],
    "responses": [
      "/status/204", "/streaming", "/early_hints", "/trap_before", "/streaming_unclosed", "/after_response",
    ],
    "wasi": ["/sleep?ms=30", "/timers", "/random", "/exit?code=3"],
  ]

  static let guests: [String] = {
    let path = (try? Places.guest("hello")) ?? ""
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".wasm") }.map { String($0.dropLast(5)) }.sorted()
  }()

  @Test(arguments: guests) func theAccountOfEachRequestCloses(guest: String) async throws {
    let manifest = try await SharedEdges.manifestPath()
    let flags = ["-C", manifest, "--profile-ui", "127.0.0.1:0", "--profile-async-grace", "0"]
    try await withFastlike(guest, flags) { edge in
      let targets = Self.targets[guest] ?? ["/"]
      for target in targets { _ = try? await edge.get(target) }
      var traces: [[String: Any]] = []
      try await eventually("the traces of \(guest)") {
        traces = []
        for number in 1...targets.count {
          let reply = try await edge.page("r/\(number).json")
          guard reply.status == 200 else { return false }
          let document = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any]
          traces.append(try #require(document))
        }
        return true
      }
      for (target, trace) in zip(targets, traces) {
        let account = try Account(trace)
        for problem in account.problems { Issue.record("\(guest) \(target): \(problem)") }
      }
    }
  }
}

/// A trace's account beside what its spans and waits add up to.
private struct Account {
  var problems: [String] = []

  init(_ document: [String: Any]) throws {
    let trace = (document["traces"] as? [[String: Any]])?.first ?? document
    let time = try #require(trace["time"] as? [String: Any])
    let wall = Self.number(trace, "wall_nanos")
    let spans = trace["spans"] as? [[String: Any]] ?? []
    let waits = trace["blocked"] as? [[String: Any]] ?? []
    let blockedByCause = (time["blocked_nanos"] as? [String: Any] ?? [:]).keys.reduce(0) {
      $0 + Self.number(time["blocked_nanos"] as? [String: Any] ?? [:], $1)
    }
    let (queue, setup) = (Self.number(time, "queue_nanos"), Self.number(time, "setup_nanos"))
    let (guest, host) = (Self.number(time, "guest_nanos"), Self.number(time, "host_nanos"))
    let tolerance = max(wall / 100, 20_000)
    func expect(_ what: String, _ value: Int, equals other: Int) {
      if abs(value - other) > tolerance { problems.append("\(what): \(value) ns, but \(other) ns") }
    }

    expect("the owners' sum, the wall time", queue + setup + guest + host + blockedByCause, equals: wall)
    for (name, value) in [("queue", queue), ("setup", setup), ("guest", guest), ("host", host)] where value < 0 {
      problems.append("\(name) is negative")
    }
    let isWhole = ["dropped", "dropped_blocked"].allSatisfy { Self.number(trace, $0) == 0 }
    guard isWhole else { return }
    let durations = spans.reduce(0) { $0 + Self.number($1, "duration_nanos") }
    let blockedInSpans = spans.reduce(0) { $0 + Self.number($1, "blocked_nanos") }
    let waited = waits.reduce(0) { $0 + Self.number($1, "duration_nanos") }
    expect("the time in hostcalls, host and blocked", durations - blockedInSpans, equals: host)
    expect("the waits one by one, by cause", waited, equals: blockedByCause)
    expect(
      "what spans and waits leave, the guest's time",
      wall - queue - setup - durations - (waited - blockedInSpans), equals: guest)
    expectOrder(of: spans, named: "spans", within: wall)
    expectOrder(of: waits, named: "waits", within: wall)
  }

  /// One thing after the other: a guest is on one fiber.
  private mutating func expectOrder(of items: [[String: Any]], named name: String, within wall: Int) {
    var end = 0
    for item in items {
      let start = Self.number(item, "start_nanos")
      if start < end { problems.append("\(name) overlap at \(start) ns") }
      end = start + Self.number(item, "duration_nanos")
    }
    if end > wall + 20_000 { problems.append("\(name) go on after the end, to \(end) ns of \(wall) ns") }
  }

  private static func number(_ fields: [String: Any], _ key: String) -> Int {
    (fields[key] as? NSNumber)?.intValue ?? 0
  }
}
