/// A stretch of time. Instants are bounded where they are taken from a trace, so that sums of a few of them cannot
/// overflow, whatever a file held.
package struct Interval: Hashable {
  /// 36 years in nanoseconds.
  static let bound: Int64 = 1 << 60

  package let start: Int64
  package let end: Int64

  static let zero = Interval(start: 0, end: 0)

  init(start: Int64, end: Int64) {
    self.start = start
    self.end = max(start, end)
  }

  init(start: Int64, duration: Int64) {
    let start = Self.bounded(start)
    self.init(start: start, end: start + min(max(0, duration), Self.bound))
  }

  package var duration: Int64 { end - start }
  var isEmpty: Bool { end == start }

  /// The part inside of another interval; empty at its nearer edge when there is none.
  func clipped(to outer: Interval) -> Interval {
    let start = min(max(self.start, outer.start), outer.end)
    return Interval(start: start, end: min(end, outer.end))
  }

  static func bounded(_ instant: Int64) -> Int64 { min(max(instant, -bound), bound) }
}

/// The rows on which intervals are drawn: those that overlap get different ones, so that concurrent backend calls
/// neither nest by accident nor hide each other.
struct Lanes {
  /// The lane of each interval, in their order.
  let indices: [Int]
  /// How many lanes there are.
  let count: Int

  /// Each interval takes the first lane that is free at its start.
  ///
  /// Complexity: O(intervals × log lanes), after sorting unless they are sorted by start.
  init(_ intervals: [Interval]) {
    var indices = [Int](repeating: 0, count: intervals.count)
    var count = 0
    var taken = BinaryHeap<(end: Int64, lane: Int)> { $0.end < $1.end }
    var free = BinaryHeap<Int>(by: <)
    func place(_ index: Int) {
      while let first = taken.first, first.end <= intervals[index].start {
        taken.removeFirst()
        free.insert(first.lane)
      }
      let lane = free.removeFirst() ?? count
      count = max(count, lane + 1)
      taken.insert((intervals[index].end, lane))
      indices[index] = lane
    }
    let isSorted = zip(intervals, intervals.dropFirst()).allSatisfy { $0.start <= $1.start }
    if isSorted {
      for index in intervals.indices { place(index) }
    } else {
      for index in intervals.indices.sorted(by: { intervals[$0].start < intervals[$1].start }) { place(index) }
    }
    self.indices = indices
    self.count = count
  }
}

/// Several traces on one clock, which starts with the earliest of them.
struct ExportBatch {
  /// The clock's zero, in nanoseconds since 1970.
  let unixNanos: Int64
  let traces: [ExportedTrace]

  init(_ traces: [RequestTrace]) {
    let base = traces.map(\.wallStartUnixNanos).min() ?? 0
    unixNanos = base
    self.traces = traces.enumerated().map { index, trace in
      let (difference, overflow) = trace.wallStartUnixNanos.subtractingReportingOverflow(base)
      return ExportedTrace(trace, number: index + 1, offset: overflow ? Interval.bound : Interval.bounded(difference))
    }
  }

  /// The last instant of all, in nanoseconds from the clock's zero.
  var end: Int64 { traces.map { $0.offset + $0.end }.max() ?? 0 }
}

/// What the encoders share of one trace: its intervals bounded, its calls' phases in order, its samples by track.
struct ExportedTrace {
  let trace: RequestTrace
  /// Position in the batch, from 1.
  let number: Int
  /// Nanoseconds from the batch's zero to the trace's start.
  let offset: Int64
  /// From the start to the request's end.
  let wall: Interval
  /// Of ``RequestTrace/spans``, in the same order.
  let spans: [Interval]
  /// Of ``RequestTrace/backendCalls``, in the same order.
  let calls: [BackendPhases]
  /// Of ``RequestTrace/blocked``, in the same order.
  let blocked: [Interval]
  /// Sampled stacks, one group for each track.
  let sampleGroups: [SampleGroup]
  /// ``RequestTrace/labels`` as text: kind and name.
  let labels: [String]
  /// The last instant of anything in the trace; at least ``wall``'s end.
  let end: Int64

  init(_ trace: RequestTrace, number: Int, offset: Int64) {
    self.trace = trace
    self.number = number
    self.offset = offset
    wall = Interval(start: 0, duration: trace.wallNanos)
    spans = trace.spans.map { Interval(start: $0.start, duration: $0.duration) }
    calls = trace.backendCalls.map { BackendPhases(of: $0) }
    blocked = trace.blocked.map { Interval(start: $0.start, duration: $0.duration) }
    sampleGroups = SampleGroup.groups(of: trace)
    labels = trace.labels.map { "\($0.kind.rawValue) \($0.name)" }
    var end = wall.end
    for span in spans where span.end > end { end = span.end }
    for call in calls where call.interval.end > end { end = call.interval.end }
    for group in sampleGroups { end = max(end, group.samples.last?.relativeNanos ?? 0) }
    self.end = end
  }

  /// Method and URL.
  var title: String { "\(trace.method) \(trace.url)" }

  /// Which request it is, for a heading among several.
  var heading: String { "request \(trace.id): \(title)" }

  /// The index in the hostcall table's names; 0 for one that the table does not have.
  func hostcallSlot(of span: Span) -> Int {
    Int(span.hostcall) < trace.hostcalls.names.count ? Int(span.hostcall) : 0
  }

  /// The texts of a span's labels.
  func labels(of span: Span) -> [String] {
    [span.label0, span.label1].compactMap { $0 > 0 && Int($0) < labels.count ? labels[Int($0)] : nil }
  }

  /// The last span that begins at or before an instant, if it lasts beyond it. Spans are in the order of their start.
  func span(at instant: Int64) -> Int? {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].start <= instant { low = middle + 1 } else { high = middle }
    }
    return low > 0 && spans[low - 1].end > instant ? low - 1 : nil
  }

  /// What was left out because of a cap, as name and count; empty for a complete trace.
  var drops: [(name: String, count: Int)] {
    [
      ("dropped_spans", trace.droppedSpans),
      ("dropped_backend_calls", trace.droppedBackendCalls),
      ("dropped_blocked_intervals", trace.droppedBlockedIntervals),
      ("dropped_guest_samples", trace.droppedGuestSamples),
      ("dropped_heap_samples", trace.deep?.heapSamplesDropped ?? 0),
    ].filter { $0.1 > 0 }
  }
}

extension BlockCause {
  /// The name under which the cause's nanoseconds are exported.
  var exportKey: StaticString {
    switch self {
    case .queue: "blocked_queue_ns"
    case .backend: "blocked_backend_ns"
    case .client: "blocked_client_ns"
    case .cache: "blocked_cache_ns"
    case .store: "blocked_store_ns"
    case .timer: "blocked_timer_ns"
    case .other: "blocked_other_ns"
    }
  }
}
