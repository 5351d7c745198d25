import Foundation
import Testing

@testable import FastlikeProfile

struct ComparisonTests {
  private func row(_ figure: TraceFigure, _ comparison: TraceComparison) -> TraceComparison.Row? {
    comparison.tables.flatMap(\.rows).first { $0.figure == figure }
  }

  /// Situations in which five percent can be seen: how many requests, how much they scatter.
  private static let situations = [(4000, 0.1), (1200, 0.05)]
  /// As good for a verdict as the usual number, and a test that repeats itself is done sooner.
  private static let quick = TraceComparison.Options(resamples: 200)

  @Test(arguments: situations)
  func aGuestSlowedByFivePercentIsCalledSlower(count: Int, noise: Double) {
    var found = 0
    for seed in 0..<20 {
      let seed = UInt64(seed) * 2
      let before = ComparisonSamples(count: count, noise: noise).set(seed: 1000 + seed)
      let after = ComparisonSamples(count: count, factor: 1.05, noise: noise).set(seed: 1001 + seed)
      if row(.guest, TraceComparison(before: before, after: after, options: Self.quick))?.verdict == .slower {
        found += 1
      }
    }
    #expect(found >= 19)
  }

  @Test(arguments: situations)
  func anUnchangedGuestIsCalledNothing(count: Int, noise: Double) {
    var wrong = 0
    for seed in 0..<20 {
      let seed = UInt64(seed) * 2
      let before = ComparisonSamples(count: count, noise: noise).set(seed: 5000 + seed)
      let after = ComparisonSamples(count: count, noise: noise).set(seed: 5001 + seed)
      let rows = TraceComparison(before: before, after: after, options: Self.quick).tables.flatMap(\.rows)
      if rows.contains(where: { ![.noEvidence, .same].contains($0.verdict) }) { wrong += 1 }
    }
    #expect(wrong <= 1)
  }

  @Test func neighboursThatAreAlikeAreNoProof() {
    var wrong = 0
    for seed in 0..<20 {
      let seed = UInt64(seed) * 2
      let before = ComparisonSamples(count: 2000, noise: 0.02, drift: 0.05).set(seed: 9000 + seed)
      let after = ComparisonSamples(count: 2000, noise: 0.02, drift: 0.05).set(seed: 9001 + seed)
      if TraceComparison(before: before, after: after, options: Self.quick).verdict != .noEvidence { wrong += 1 }
    }
    #expect(wrong <= 1)
  }

  @Test func aFasterGuestIsCalledFaster() {
    let before = ComparisonSamples(count: 2000).set(seed: 1)
    let after = ComparisonSamples(count: 2000, factor: 0.8).set(seed: 2)
    let comparison = TraceComparison(before: before, after: after)
    #expect(comparison.verdict == .faster)
    #expect(comparison.sentence.hasPrefix("faster: the median request took 7.1"))
    #expect(comparison.regressions.isEmpty)
  }

  @Test func theIntervalHoldsTheTruth() {
    var missed = 0
    for seed in 0..<40 {
      let seed = UInt64(seed) * 2
      let before = ComparisonSamples(count: 600, drift: 0, backend: nil).set(seed: 100 + seed)
      let after = ComparisonSamples(count: 600, factor: 1.1, drift: 0, backend: nil).set(seed: 101 + seed)
      let interval = row(.guest, TraceComparison(before: before, after: after, options: Self.quick))?.interval
      if interval.map({ $0.contains(0.1) }) != true { missed += 1 }
    }
    // Of forty intervals of 95 %, two miss; more than six do so in one of two hundred runs.
    #expect(missed <= 6)
  }

  @Test func theSameSeedGivesTheSame() {
    let before = ComparisonSamples(count: 300).set(seed: 1)
    let after = ComparisonSamples(count: 300).set(seed: 2)
    let first = TraceComparison(before: before, after: after).json()
    #expect(first == TraceComparison(before: before, after: after).json())
    let other = TraceComparison(before: before, after: after, options: .init(seed: 2)).json()
    #expect(first != other)
  }

  @Test func theOrderOfTheRequestsDoesNotMatter() {
    let traces = ComparisonSamples(count: 300).traces(seed: 1)
    var forwards = TraceSet.Builder(name: "a")
    var backwards = TraceSet.Builder(name: "a")
    for trace in traces { forwards.add(trace) }
    for trace in traces.reversed() { backwards.add(trace) }
    let other = ComparisonSamples(count: 300).set(seed: 2)
    let first = TraceComparison(before: forwards.finish(), after: other)
    let second = TraceComparison(before: backwards.finish(), after: other)
    #expect(first.wall?.interval == second.wall?.interval)
  }

  @Test func theFunctionThatBecameSlowerIsNamed() {
    let functions = [("hot", 0.9), ("warm", 0.2), ("cold", 0.1)]
    let before = ComparisonSamples(count: 3000, hasStacks: true).set(seed: 1)
    let after = ComparisonSamples(
      count: 3000, factor: 1.2, functions: functions.map { ($0.0, $0.1 / 1.2) }, hasStacks: true
    )
    .set(seed: 2)
    let comparison = TraceComparison(before: before, after: after)
    #expect(row(TraceFigure(.function, "hot"), comparison)?.verdict == .slower)
    #expect(row(TraceFigure(.function, "warm"), comparison)?.verdict == .noEvidence)
    let share = row(TraceFigure(.function, "hot"), comparison)?.before.share ?? 0
    #expect(abs(share - 0.7) < 0.03)
  }

  @Test func countsAreToldExactly() {
    let before = ComparisonSamples(count: 50, lookups: 3).set(seed: 1)
    let after = ComparisonSamples(count: 50, lookups: 4).set(seed: 2)
    let comparison = TraceComparison(before: before, after: after)
    #expect(row(.hostcalls, comparison)?.verdict == .more)
    #expect(row(.backendCalls, comparison)?.verdict == .same)
    #expect(row(.backendBytes, comparison)?.verdict == .same)
    #expect(TraceComparison(before: after, after: before).tables.flatMap(\.rows).contains { $0.verdict == .fewer })
  }

  @Test func whatOneSetLacksIsNewOrGone() {
    let before = ComparisonSamples(count: 50).set(seed: 1)
    let after = ComparisonSamples(count: 50, backend: nil).set(seed: 2)
    #expect(row(TraceFigure(.backend, "origin"), TraceComparison(before: before, after: after))?.verdict == .gone)
    #expect(row(TraceFigure(.backend, "origin"), TraceComparison(before: after, after: before))?.verdict == .new)
  }

  @Test func aHandfulOfRequestsShowsNothing() {
    let before = ComparisonSamples(count: 9).set(seed: 1)
    let after = ComparisonSamples(count: 900, factor: 3).set(seed: 2)
    #expect(TraceComparison(before: before, after: after).verdict == .tooFew)
    #expect(TraceComparison(before: before, after: TraceSet.Builder(name: "none").finish()).tables.isEmpty)
  }

  @Test func aNanosecondIsNoChange() {
    func set(_ duration: Int64) -> TraceSet {
      var builder = TraceSet.Builder(name: "")
      for index in 0..<100 {
        builder.add(
          RequestTrace(
            id: UInt64(index), wallNanos: 1_000_000, hostcalls: ComparisonSamples.hostcalls,
            spans: [Span(hostcall: 1, start: 0, duration: duration)]))
      }
      return builder.finish()
    }
    let figure = TraceFigure(.hostcall, "fastly_kv_store.lookup")
    #expect(row(figure, TraceComparison(before: set(300), after: set(600)))?.verdict == .noEvidence)
    #expect(row(figure, TraceComparison(before: set(300_000), after: set(600_000)))?.verdict == .slower)
  }

  @Test func routesThatBothSetsHaveAreCompared() {
    func set(_ factor: Double, seed: UInt64) -> TraceSet {
      var builder = TraceSet.Builder(name: "")
      for (index, path) in ["/a", "/b"].enumerated() {
        let samples = ComparisonSamples(count: 1500, factor: path == "/b" ? factor : 1, path: path, backend: nil)
        for trace in samples.traces(seed: seed + UInt64(index) * 100) { builder.add(trace) }
      }
      return builder.finish()
    }
    let comparison = TraceComparison(before: set(1, seed: 1), after: set(1.3, seed: 7))
    #expect(row(TraceFigure(.route, "GET /a"), comparison)?.verdict == .noEvidence)
    #expect(row(TraceFigure(.route, "GET /b"), comparison)?.verdict == .slower)
  }

  @Test func aFileIsJSONWhateverTheRequestsHold() throws {
    var traces = TraceFixture.allCases.flatMap(\.traces)
    traces += traces.map { trace in
      var odd = trace
      odd.wallNanos = .max
      odd.spans = odd.spans.map { Span(hostcall: $0.hostcall, start: .max, duration: .max) }
      return odd
    }
    var builder = TraceSet.Builder(name: "</script>\"\n")
    for _ in 0..<3 { for trace in traces { builder.add(trace) } }
    let set = builder.finish()
    let comparison = TraceComparison(before: set, after: set)
    let object = try JSONSerialization.jsonObject(with: Data(comparison.json())) as? [String: Any]
    #expect(object?["verdict"] as? String == "no evidence")
    #expect((object?["rows"] as? [Any])?.isEmpty == false)
  }
}

struct BlockBootstrapTests {
  @Test func theMedianOfADrawIsThatOfItsValues() {
    var random = SeededGenerator(seed: 3)
    for count in [10, 11, 39, 41, 640, 1001] {
      let starts = (0..<count).map { Int64($0) }
      let bootstrap = BlockBootstrap(starts: starts, resamples: 100, seed: 7)
      var column = TraceSet.Column()
      for request in 0..<count where request.isMultiple(of: 3) || count < 40 {
        column.requests.append(UInt32(request))
        // Few distinct values, so that there are ties.
        column.values.append(Double(Int.random(in: 0...count / 4, using: &random)))
      }
      let medians = bootstrap.replicates(of: column, .median, requests: count)
      for (resample, median) in medians.enumerated() {
        var values: [Double] = []
        for (request, value) in zip(column.requests, column.values) {
          let block = Int(bootstrap.blocks[Int(request)])
          let drawn = bootstrap.draws[resample * bootstrap.blockCount + block]
          values += Array(repeating: value, count: Int(drawn))
        }
        #expect(values.isEmpty ? median.isNaN : median == values.sorted().middle)
      }
    }
  }

  @Test func blocksAreNeighboursOfEqualSize() {
    let bootstrap = BlockBootstrap(starts: (0..<400).map { Int64(400 - $0) }, resamples: 100, seed: 1)
    #expect(bootstrap.blockCount == 40)
    #expect(bootstrap.blocks.first == 39)
    #expect(Dictionary(grouping: bootstrap.blocks, by: { $0 }).values.allSatisfy { $0.count == 10 })
    for resample in 0..<100 {
      #expect(bootstrap.draws[resample * 40..<(resample + 1) * 40].reduce(0, +) == 40)
    }
  }

  /// Values of tables of Student's distribution.
  @Test(arguments: [(2.228, 10.0, 0.025), (2.764, 10, 0.01), (2.423, 40, 0.01), (1.990, 80, 0.025)])
  func studentsDistributionIsThatOfTheTables(t: Double, degrees: Double, tail: Double) {
    #expect(abs(Probability.studentTail(t, degrees: degrees) - tail) < 0.0005)
    #expect(abs(Probability.studentTail(-t, degrees: degrees) - (1 - tail)) < 0.0005)
  }
}

struct FlameDifferenceTests {
  private static func builder(_ stacks: [(String, Int64)], requests: Int) -> FlameTree.Builder {
    var builder = FlameTree.Builder(weight: .cpu)
    var table = StackTable.Builder()
    let samples = stacks.compactMap { name, weight in
      table.intern(leafFirst: [StackFrame(name: name), StackFrame(name: "main")])
        .map { StackSample(relativeNanos: 0, stack: $0, weightNanos: weight) }
    }
    builder.add(RequestTrace(id: 1, guestStacks: StackProfile(table: table.finish(), samples: samples)))
    for index in 1..<requests { builder.add(RequestTrace(id: UInt64(index + 1))) }
    return builder
  }

  @Test func setsOfDifferentSizesAreComparedByTheRequest() {
    let difference = FlameDifference(
      before: Self.builder([("same", 1_000_000), ("gone", 500_000)], requests: 1),
      after: Self.builder([("same", 2_000_000), ("new", 4_000_000)], requests: 2))
    let svg = String(decoding: difference.svg(title: "x"), as: UTF8.self)
    #expect(svg.contains("<title>same: 1.00 ms before, 1.00 ms after, a request (+0.0 %)</title><rect class=\"same\""))
    #expect(svg.contains("<title>gone: 500 µs before, 0 ns after, a request</title><rect class=\"less3\""))
    #expect(svg.contains("<title>new: 0 ns before, 2.00 ms after, a request</title><rect class=\"more3\""))
    #expect(svg.contains("<title>main: 1.50 ms before, 3.00 ms after, a request (+100 %)</title>"))
  }

  @Test func drawingsEqualTheirGolden() throws {
    let difference = FlameDifference(
      before: Self.builder([("parse", 3_000_000), ("render", 2_000_000), ("log", 400_000)], requests: 2),
      after: Self.builder([("parse", 4_000_000), ("render", 1_000_000), ("cache", 900_000)], requests: 2))
    let svg = difference.svg(title: "Guest CPU: before and after")
    try ExportGolden.check(String(decoding: svg, as: UTF8.self), "difference.flame-cpu.svg")
  }

  @Test func samplesThatDoNotTellTheirTimeAreCountedOnBothSides() {
    let difference = FlameDifference(
      before: Self.builder([("a", 0), ("a", 0)], requests: 1), after: Self.builder([("a", 5_000_000)], requests: 1))
    #expect(String(decoding: difference.svg(title: ""), as: UTF8.self).contains("a: 2.00 samples before, 1.00 samples"))
  }

  @Test(arguments: [
    (100.0, 104.0, "same"), (100, 110, "more1"), (100, 150, "more2"), (100, 300, "more3"), (110, 100, "less1"),
    (5, 0, "less3"), (0, 5, "more3"), (0, 0, "same"),
  ])
  func coloursGrowWithTheChange(before: Double, after: Double, style: String) {
    #expect(FlameDifference.style(before, after) == style)
  }
}
