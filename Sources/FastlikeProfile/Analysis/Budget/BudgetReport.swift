/// What came of holding requests against a ``Budget``.
public struct BudgetReport: Sendable, Hashable {
  public enum Verdict: String, Sendable {
    case within
    case broken
    /// The limit could not be checked, which fails as well: a check that checks nothing must not look like one that passed.
    case unknown
  }

  /// One limit.
  public struct Line: Sendable, Hashable {
    public var route: TraceRoutePattern
    public var limit: Budget.Limit
    /// In the subject's unit; nil when it is not known.
    public var measured: Double?
    /// The request with the worst value; nil where a value belongs to no single one.
    public var worst: UInt64?
    public var verdict: Verdict
    /// Why the verdict is ``Verdict/unknown``.
    public var reason: String?
    /// Requests that were looked at.
    public var requests: Int
  }

  public var lines: [Line]
  /// All requests that were looked at, also those that no rule means.
  public var requests: Int

  /// Whether every limit is kept.
  public var isKept: Bool { lines.allSatisfy { $0.verdict == .within } }
  /// Limits that are broken or could not be checked.
  public var failures: [Line] { lines.filter { $0.verdict != .within } }
}

extension BudgetReport.Line {
  /// `at most 80.0 ms`
  public var bound: String {
    (limit.subject.isLowerBound ? "at least " : "at most ") + limit.subject.text(limit.bound)
  }

  /// The measured value in words, or why there is none.
  public var value: String { measured.map(limit.subject.text) ?? "–" }

  /// The whole of it in one sentence.
  public var sentence: String {
    let place = worst.map { " (request \($0))" } ?? ""
    let name = "\(route): \(limit.subject.name)"
    switch verdict {
    case .within: return "\(name) is \(value), \(bound)"
    case .broken: return "\(name) is \(value)\(place), but may be \(bound) [\(limit.place)]"
    case .unknown: return "\(name): \(reason ?? limit.subject.missing) [\(limit.place)]"
    }
  }
}

// MARK: - Checking

extension BudgetReport {
  /// Holds requests against a budget, one by one.
  ///
  /// Complexity: O(spans + calls) for each rule that means the request; memory is two numbers a request and rule.
  public struct Builder: Sendable {
    private let budget: Budget
    private var tallies: [Tally]
    private var requests = 0

    public init(_ budget: Budget) {
      self.budget = budget
      tallies = budget.rules.map(Tally.init)
    }

    public mutating func add(_ trace: RequestTrace) {
      requests += 1
      let route = TraceRoute(of: trace)
      for index in tallies.indices where tallies[index].rule.route.matches(route) { tallies[index].add(trace) }
    }

    public consuming func finish() -> BudgetReport {
      BudgetReport(lines: tallies.flatMap { $0.lines() }, requests: requests)
    }
  }

  /// The largest value, and whose it is.
  private struct Peak: Sendable {
    var value = 0.0
    var request: UInt64?

    mutating func add(_ other: Double, _ id: UInt64) {
      if request == nil || other > value { (value, request) = (other, id) }
    }
  }

  /// What is known of the requests of one rule.
  private struct Tally: Sendable {
    let rule: Budget.Rule
    private var wall: [Int64] = []
    private var guest: [Int64] = []
    private var peaks: [Budget.Subject: Peak] = [:]
    private var errors = 0
    private var lookups = 0
    private var hits = 0
    private var hasDroppedSpans = false
    private let names: Set<String>

    init(_ rule: Budget.Rule) {
      self.rule = rule
      names = Set(
        rule.limits.compactMap {
          guard case .hostcall(let name) = $0.subject else { return nil }
          return name
        })
    }

    mutating func add(_ trace: RequestTrace) {
      wall.append(trace.wallNanos)
      guest.append(trace.time.guest)
      if trace.isError { errors += 1 }
      if trace.droppedSpans > 0 { hasDroppedSpans = true }
      if let fuel = trace.guestFuel { add(.fuel, Double(fuel), trace) }
      add(.hostcalls, Double(trace.spans.count + trace.droppedSpans), trace)
      add(.backendCalls, Double(trace.backendCalls.count + trace.droppedBackendCalls), trace)
      add(.backendBytes, trace.backendCalls.reduce(0) { $0 + $1.bytes }, trace)
      add(.responseBytes, Double(trace.responseBytes), trace)
      if let deep = trace.deep {
        lookups += deep.cacheLookups
        hits += deep.cacheHits
        let memory = deep.heapAggregates.max
        if memory > 0 { add(.memory, Double(memory), trace) }
      }
      guard !names.isEmpty else { return }
      var counts: [UInt16: Int] = [:]
      for span in trace.spans { counts[span.hostcall, default: 0] += 1 }
      for name in names { add(.hostcall(name), Double(counts[trace.hostcalls.index(of: name)] ?? 0), trace) }
    }

    private mutating func add(_ subject: Budget.Subject, _ value: Double, _ trace: RequestTrace) {
      peaks[subject, default: Peak()].add(value, trace.id)
    }

    func lines() -> [Line] {
      let walls = wall.sorted()
      let guests = guest.sorted()
      return rule.limits.map { limit in
        var line = Line(route: rule.route, limit: limit, verdict: .unknown, requests: wall.count)
        guard wall.count >= rule.leastRequests else {
          line.reason =
            "\(Figures.count(wall.count, "request")) seen, at least \(Figures.count(rule.leastRequests)) are needed"
          return line
        }
        (line.measured, line.worst) = measured(limit.subject, walls, guests)
        guard let value = line.measured else { return line }
        let isBroken = limit.subject.isLowerBound ? value < limit.bound : value > limit.bound
        line.verdict = isBroken ? .broken : .within
        if case .hostcall = limit.subject, hasDroppedSpans, !isBroken { line.verdict = .unknown }
        return line
      }
    }

    private func measured(
      _ subject: Budget.Subject, _ walls: [Int64], _ guests: [Int64]
    ) -> (value: Double?, worst: UInt64?) {
      switch subject {
      case .wall(let percent): return (Double(Percentile.of(walls, percent)), nil)
      case .guest(let percent): return (Double(Percentile.of(guests, percent)), nil)
      case .errorShare: return (Double(errors) / Double(wall.count), nil)
      case .cacheHitShare: return (lookups > 0 ? Double(hits) / Double(lookups) : nil, nil)
      default: return (peaks[subject]?.value, peaks[subject]?.request)
      }
    }
  }
}

/// Percentiles by nearest rank.
package enum Percentile {
  /// The least value that so many percent of the values do not exceed; 0 without values.
  /// - Parameter sorted: Ascending.
  package static func of(_ sorted: [Int64], _ percent: Int) -> Int64 {
    sorted.isEmpty ? 0 : sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
  }
}
