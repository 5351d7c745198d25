internal import Foundation

/// What differs between two sets of requests, such as those before and after a change.
///
/// # Method
/// Times of whole requests, routes, hostcalls and backends are compared by their medians over the requests that have them;
/// of a hostcall or backend it is the sum within a request. Functions are compared by their mean CPU time a request, because
/// a request has few samples. Both by the logarithm of after over before, so that twice and half are equally far. Counts are
/// compared by the difference of their means.
///
/// How much such a number varies by chance is found by drawing blocks of neighbouring requests anew (``BlockBootstrap``).
/// The interval is the middle 95 % of the draws. A time is called slower or faster when it is so by more than
/// ``Options/threshold``: the distance beyond the threshold, in standard errors of the draws, has a probability by Student's
/// distribution, and within each table these are adjusted for their number (Holm 1979) before they are held against
/// ``Options/significance``. So with nothing changed, a table has a wrong verdict in fewer than one of a hundred
/// comparisons, and a shift that a machine's mood can make is none. What differs by less than a microsecond a request, or
/// was seen in fewer than ``leastRequests`` requests of either set, gets no verdict.
///
/// `Docs/comparison.md` tells the same to users.
public struct TraceComparison: Sendable {
  public struct Options: Sendable, Hashable {
    /// The beginning of the random draws; the same one gives the same result.
    public var seed: UInt64
    /// How often requests are drawn anew; at least 100.
    public var resamples: Int
    /// A relative change of time that does not count, such as 0.02.
    public var threshold: Double
    /// The probability of a wrong verdict in a table that is accepted.
    public var significance: Double

    public init(seed: UInt64 = 1, resamples: Int = 1000, threshold: Double = 0.02, significance: Double = 0.01) {
      self.seed = seed
      self.resamples = max(100, resamples)
      self.threshold = max(0, threshold)
      self.significance = significance
    }
  }

  /// Fewer requests than this show nothing.
  public static let leastRequests = 10
  /// Fewer samples of a function than this show nothing.
  static let leastSamples = 20
  /// Differences below this many nanoseconds a request get no verdict.
  static let leastDifference = 1000.0
  /// Most rows of a table; those with the least time are left out.
  public static let mostRows = 50

  /// A figure in one of the sets.
  public struct Side: Sendable, Hashable {
    /// Requests that have it.
    public var requests = 0
    /// How often it happened: calls, samples.
    public var uses = 0
    /// The sum over all requests, in the figure's unit.
    public var total = 0.0
    /// The part of ``total`` in the wall time of the set, or of a function in all sampled CPU time; 0 to 1, more for
    /// backends that run side by side.
    public var share = 0.0
    /// The median over the requests that have it; the mean over all requests for functions and counts.
    public var center = 0.0
  }

  public enum Verdict: String, Sendable, CaseIterable {
    case faster
    case slower
    /// Of counts.
    case more
    /// Of counts.
    case fewer
    case noEvidence = "no evidence"
    /// Of counts that have not one value that differs.
    case same
    /// Only the first set has it.
    case gone
    /// Only the second set has it.
    case new
    case tooFew = "too few"

    /// Whether it is for the worse.
    public var isWorse: Bool { self == .slower }
  }

  public struct Row: Sendable, Hashable {
    public var figure: TraceFigure
    public var before: Side
    public var after: Side
    /// ``Side/center`` after over before, less one; nil where before is nothing.
    public var change: Double?
    /// The 95 % interval of ``change``; nil without a change, and with too few requests.
    public var interval: ClosedRange<Double>?
    /// Of a change as large as this one by chance, adjusted for the number of rows; nil with too few requests.
    public var probability: Double?
    public var verdict: Verdict
  }

  public struct Table: Sendable, Hashable {
    public var family: TraceFigure.Family
    public var rows: [Row]
    /// Rows with less time that were left out, and routes that only one set has.
    public var hidden: Int
  }

  /// What the sets are called.
  public let names: (before: String, after: String)
  /// How many requests they hold.
  public let requests: (before: Int, after: Int)
  public let options: Options
  /// Tables that have rows.
  public let tables: [Table]

  /// Of the wall time.
  public var verdict: Verdict { wall?.verdict ?? .tooFew }
  /// The row of the wall time; nil when a set is empty.
  public var wall: Row? { tables.first { $0.family == .request }?.rows.first { $0.figure == .wall } }
  /// Rows with a verdict for the worse.
  public var regressions: [Row] { tables.flatMap(\.rows).filter(\.verdict.isWorse) }

  /// Complexity: O(n log n) in the requests for each figure, and O(resamples × (blocks + n / 64)).
  public init(before: TraceSet, after: TraceSet, options: Options = Options()) {
    names = (before.name, after.name)
    requests = (before.count, after.count)
    self.options = options
    guard before.count > 0, after.count > 0 else {
      tables = []
      return
    }
    let work = Work(
      before: before, after: after,
      draws: (
        BlockBootstrap(starts: before.starts, resamples: options.resamples, seed: options.seed),
        BlockBootstrap(starts: after.starts, resamples: options.resamples, seed: options.seed &+ 0x5DEE_CE66)
      ), options: options)
    tables = TraceFigure.Family.allCases.compactMap { work.table(of: $0) }.filter { !$0.rows.isEmpty }
  }
}

/// The computing behind a comparison.
private struct Work {
  let before: TraceSet
  let after: TraceSet
  let draws: (before: BlockBootstrap, after: BlockBootstrap)
  let options: TraceComparison.Options

  private typealias Row = TraceComparison.Row
  private typealias Side = TraceComparison.Side
  private var hasTimedSamples: Bool { before.hasTimedSamples && after.hasTimedSamples }

  func table(of family: TraceFigure.Family) -> TraceComparison.Table? {
    var figures = Set(before.columns.keys).union(after.columns.keys).filter { $0.family == family }
    var hidden = 0
    if family == .route {
      // Requests of one route in one set alone have nothing to be compared with, and one route alone tells no more than all.
      let shared = figures.filter { before.columns[$0] != nil && after.columns[$0] != nil }
      hidden = figures.count - shared.count
      figures = figures.count > 1 ? shared : []
    }
    let shown = order(figures, of: family)
    hidden += max(0, shown.count - TraceComparison.mostRows)
    var rows = shown.prefix(TraceComparison.mostRows).map(row)
    if family == .request { rows.removeAll { $0.before.center == 0 && $0.after.center == 0 } }
    adjust(&rows)
    return TraceComparison.Table(family: family, rows: rows, hidden: hidden)
  }

  private func order(_ figures: some Collection<TraceFigure>, of family: TraceFigure.Family) -> [TraceFigure] {
    let fixed: [TraceFigure] = [
      .wall, .guest, .host, .waiting, .start, .cpu, .errors, .fuel, .hostcalls, .backendCalls, .backendBytes,
      .responseBytes,
      .memory,
    ]
    if family == .request || family == .count { return fixed.filter(figures.contains) }
    let weights = Dictionary(
      uniqueKeysWithValues: figures.map { figure in
        let first = column(figure, of: before).total / Double(before.count)
        return (figure, first + column(figure, of: after).total / Double(after.count))
      })
    return figures.sorted {
      (weights[$1] ?? 0, $0.name) < (weights[$0] ?? 0, $1.name)
    }
  }

  private func column(_ figure: TraceFigure, of set: TraceSet) -> TraceSet.Column {
    var column = set.columns[figure] ?? TraceSet.Column()
    if figure.family == .function, !hasTimedSamples {
      // Where samples do not tell their time, they are counted.
      column.values = column.counts.map(Double.init)
      column.total = Double(column.uses)
    }
    return column
  }

  private func side(_ column: TraceSet.Column, _ figure: TraceFigure, of set: TraceSet) -> Side {
    let whole: Double
    if figure.family == .function {
      whole = set.columns.reduce(0) { sum, entry in
        guard entry.key.family == .function else { return sum }
        return sum + (hasTimedSamples ? entry.value.total : Double(entry.value.uses))
      }
    } else {
      whole = figure.family == .count ? 0 : set.columns[.wall]?.total ?? 0
    }
    return Side(
      requests: column.requests.count, uses: column.uses, total: column.total,
      share: whole > 0 ? column.total / whole : 0,
      center: statistic(of: figure).value(of: column, requests: set.count))
  }

  private func statistic(of figure: TraceFigure) -> BlockBootstrap.Statistic {
    figure.family == .function || figure.family == .count ? .mean : .median
  }

  // MARK: - Rows

  private func row(_ figure: TraceFigure) -> Row {
    let columns = (before: column(figure, of: before), after: column(figure, of: after))
    let sides = (before: side(columns.before, figure, of: before), after: side(columns.after, figure, of: after))
    var row = Row(
      figure: figure, before: sides.before, after: sides.after,
      change: sides.before.center > 0 ? sides.after.center / sides.before.center - 1 : nil, verdict: .noEvidence)
    let isCount = figure.family == .count
    let least = min(before.count, after.count)
    guard least >= TraceComparison.leastRequests else {
      row.verdict = .tooFew
      return row
    }
    if !isCount, sides.before.uses == 0 || sides.after.uses == 0 {
      row.verdict = sides.before.uses == 0 ? .new : .gone
      return row
    }
    if isCount, Self.isConstant(columns.before), Self.isConstant(columns.after),
      columns.before.values.first == columns.after.values.first
    {
      row.verdict = .same
      return row
    }
    guard isEnough(sides.before, figure), isEnough(sides.after, figure) else {
      row.verdict = .tooFew
      return row
    }
    let replicates = (
      draws.before.replicates(of: columns.before, statistic(of: figure), requests: before.count),
      draws.after.replicates(of: columns.after, statistic(of: figure), requests: after.count)
    )
    let distances = zip(replicates.0, replicates.1).map { distance($0, $1, isCount) }.filter(\.isFinite)
    guard distances.count >= options.resamples / 2 else {
      row.verdict = .tooFew
      return row
    }
    let found = distance(sides.before.center, sides.after.center, isCount)
    row.interval = interval(distances.sorted(), sides.before.center, isCount)
    row.probability = probability(of: found, error: Self.deviation(distances) * inflation, isCount)
    row.verdict = direction(found, row)
    return row
  }

  private func isEnough(_ side: Side, _ figure: TraceFigure) -> Bool {
    if figure.family == .function { return side.uses >= TraceComparison.leastSamples }
    return side.requests >= TraceComparison.leastRequests
  }

  private static func isConstant(_ column: TraceSet.Column) -> Bool {
    column.values.allSatisfy { $0 == column.values[0] }
  }

  /// Logarithm of the ratio, or difference. A tenth of a microsecond is added to times, so that one near nothing does not
  /// make any other infinitely longer.
  private func distance(_ before: Double, _ after: Double, _ isCount: Bool) -> Double {
    isCount ? after - before : log((after + 100) / (before + 100))
  }

  private func interval(_ sorted: [Double], _ before: Double, _ isCount: Bool) -> ClosedRange<Double>? {
    let low = sorted[Int(Double(sorted.count - 1) * 0.025)]
    let high = sorted[Int(Double(sorted.count - 1) * 0.975)]
    if !isCount { return exp(low) - 1...exp(high) - 1 }
    return before > 0 ? low / before...high / before : nil
  }

  /// Draws from a few blocks vary less than the truth, by this factor.
  private var inflation: Double {
    let blocks = Double(min(draws.before.blockCount, draws.after.blockCount))
    return (blocks / (blocks - 1)).squareRoot()
  }

  private func probability(of distance: Double, error: Double, _ isCount: Bool) -> Double {
    let beyond = abs(distance) - (isCount ? 0 : log1p(options.threshold))
    guard beyond > 0 else { return 1 }
    let degrees = Double(draws.before.blockCount + draws.after.blockCount - 2)
    return Probability.studentTail(beyond / error, degrees: degrees)
  }

  private static func deviation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(max(1, values.count - 1))).squareRoot()
  }

  /// What the verdict will be if it stands.
  private func direction(_ distance: Double, _ row: Row) -> TraceComparison.Verdict {
    if row.figure.family == .count { return distance > 0 ? .more : .fewer }
    let isTimed = row.figure.family != .function || hasTimedSamples
    if isTimed, abs(row.after.center - row.before.center) < TraceComparison.leastDifference { return .noEvidence }
    return distance > 0 ? .slower : .faster
  }

  /// Holm's step-down adjustment; what is not below the significance then is no evidence.
  private func adjust(_ rows: inout [Row]) {
    let tested = rows.indices.filter { rows[$0].probability != nil }
      .sorted { (rows[$0].probability ?? 1) < (rows[$1].probability ?? 1) }
    var greatest = 0.0
    for (rank, index) in tested.enumerated() {
      greatest = max(greatest, min(1, (rows[index].probability ?? 1) * Double(tested.count - rank)))
      rows[index].probability = greatest
      if greatest >= options.significance { rows[index].verdict = .noEvidence }
    }
  }
}
