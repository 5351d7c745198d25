import FastlikeProfile

extension RequestTrace {
  /// Nanoseconds from the start to the last thing that was recorded: backend calls may outlast the request.
  var extent: Int64 { backendCalls.reduce(max(1, wallNanos)) { max($0, $1.ended) } }
}

/// The request over time as bars: what is read where no script runs.
struct Waterfall {
  /// Most backend calls that have a row of their own here.
  static let shownCalls = 40

  struct Row {
    let title: String
    let detail: String
    let bar: Bar
  }

  let rows: [Row]
  /// How many backend calls have no row; nil when all have one.
  let hiddenCalls: String?
  /// What stands under the rows, from the left to the right.
  let ticks: [String]

  init(of trace: RequestTrace) {
    let extent = trace.extent
    var rows = [Row(title: "time", detail: Figures.duration(trace.wallNanos), bar: Self.owners(of: trace))]
    for call in trace.backendCalls.prefix(Self.shownCalls) {
      rows.append(
        Row(title: call.name, detail: Figures.duration(call.totalNanos), bar: Self.bar(of: call, until: extent)))
    }
    self.rows = rows
    let hidden = trace.backendCalls.count - Self.shownCalls
    hiddenCalls = hidden > 0 ? Figures.count(hidden, "more backend call") : nil
    ticks = (0...4).map { Figures.duration(extent * $0 / 4) }
  }

  // MARK: - Backend calls

  /// A call's phases in their order, as the exports have them.
  static func bar(of call: BackendCall, until extent: Int64) -> Bar {
    var pieces: [BarPiece] = []
    var words: [String] = []
    for (phase, interval) in FastlikeProfile.BackendPhases(of: call).segments {
      let (kind, name) = style(of: phase)
      let tip = "\(name) \(Figures.duration(interval.duration))"
      pieces.append(
        BarPiece(kind, from: place(interval.start, in: extent), to: place(interval.end, in: extent), tip: tip))
      words.append(tip)
    }
    return Bar(pieces: pieces, text: words.isEmpty ? "no time recorded" : words.joined(separator: ", "))
  }

  /// The style of a phase and its name for people.
  private static func style(of phase: FastlikeProfile.BackendPhases.Name) -> (kind: String, name: String) {
    switch phase {
    case .queue: ("pending", "pending")
    case .dns: ("dns", "DNS")
    case .connect: ("connect", "connect")
    case .tls: ("tls", "TLS")
    case .send: ("send", "sending")
    case .wait: ("wait", "waiting")
    case .receive: ("receive", "receiving")
    }
  }

  private static func place(_ instant: Int64, in extent: Int64) -> Double {
    Bar.length * Double(min(max(0, instant), extent)) / Double(max(1, extent))
  }

  // MARK: - Owners over time

  /// The time is cut into cells, each of which shows the owner that had most of it.
  private static let cells = 500

  private static func owners(of trace: RequestTrace) -> Bar {
    let wall = max(1, trace.wallNanos)
    let extent = trace.extent
    let owners = TimeOwner.allCases
    var shares = [[Double]](repeating: Array(repeating: 0, count: owners.count), count: cells)
    func add(_ owner: TimeOwner, from start: Int64, to end: Int64, weight: Double = 1) {
      guard end > start, let column = owners.firstIndex(of: owner) else { return }
      let first = max(0, Double(start) * Double(cells) / Double(wall))
      let last = min(Double(cells), Double(end) * Double(cells) / Double(wall))
      var cell = Int(first)
      while cell < cells, Double(cell) < last {
        shares[cell][column] += weight * (min(last, Double(cell + 1)) - max(first, Double(cell)))
        cell += 1
      }
    }
    add(.queue, from: 0, to: trace.time.queue)
    add(.setup, from: trace.time.queue, to: trace.time.queue + trace.time.setup)
    for span in trace.spans { add(.host, from: span.start, to: span.end) }
    for wait in trace.blocked {
      add(TimeOwner(wait.cause), from: wait.start, to: wait.end)
      if wait.inHostcall { add(.host, from: wait.start, to: wait.end, weight: -1) }
    }
    let ends = Double(cells) * Double(extent) / Double(wall)
    var pieces: [BarPiece] = []
    var start = 0
    func owner(of cell: Int) -> TimeOwner {
      let others = shares[cell].reduce(0, +)
      guard let most = shares[cell].indices.max(by: { shares[cell][$0] < shares[cell][$1] }) else { return .guest }
      return shares[cell][most] > max(0, 1 - others) ? owners[most] : .guest
    }
    for cell in 1...cells where cell == cells || owner(of: cell) != owner(of: start) {
      let kind = owner(of: start)
      pieces.append(
        BarPiece(
          kind.rawValue, from: Bar.length * Double(start) / ends, to: Bar.length * Double(cell) / ends,
          tip: "\(kind.rawValue), from \(Figures.duration(wall * Int64(start) / Int64(cells)))"))
      start = cell
    }
    return Bar(pieces: pieces, text: "who had the time, from the start to the end")
  }
}
