/// How hostcalls and suspensions become stacks.
extension FlameTree.Builder {
  /// Route, then hostcalls as they lie in each other, each with what it touched and, above it, what it waited for.
  mutating func addHostcalls(of trace: RequestTrace) {
    let route = node(FlameFrame(.route, name: TraceRoute(of: trace).description), under: 0)
    // The hostcalls that are open at a span's start: the node that its children lie on, and what is its own yet.
    var open: [(end: Int64, place: Int32, own: Int64)] = []
    var covered: Int64 = 0
    for span in trace.spans {
      let duration = max(0, span.duration)
      while let last = open.last, last.end <= span.start {
        add(last.own, to: last.place)
        open.removeLast()
      }
      if let last = open.indices.last {
        open[last].own = max(0, open[last].own - duration)
      } else {
        covered.add(duration)
      }
      var place = node(FlameFrame(.hostcall, name: trace.name(of: span)), under: open.last?.place ?? route)
      for label in trace.labels(of: span) { place = node(FlameFrame(label), under: place) }
      let waited = min(max(0, span.blocked), duration)
      if waited > 0 { add(waited, to: node(FlameFrame(.cause, name: "waiting"), under: place)) }
      open.append((Interval.bounded(span.start) + min(duration, Interval.bound), place, duration - waited))
    }
    for entry in open { add(entry.own, to: entry.place) }
    if trace.droppedSpans > 0, trace.hostcallNanos > covered {
      let beyond = FlameFrame(.hostcall, name: "hostcalls beyond the cap")
      add(trace.hostcallNanos - covered, count: Int64(trace.droppedSpans), to: node(beyond, under: route))
    }
  }

  /// Cause, then the hostcall in which the guest waited, then what it waited for.
  mutating func addSuspensions(of trace: RequestTrace) {
    var told = BlockedTime()
    for interval in trace.blocked where interval.duration > 0 {
      var place = node(FlameFrame(.cause, name: interval.cause.name), under: 0)
      told[interval.cause].add(interval.duration)
      if interval.inHostcall, let span = Self.span(at: interval.start, in: trace.spans) {
        place = node(FlameFrame(.hostcall, name: trace.name(of: span)), under: place)
        var labels = trace.labels(of: span)
        if interval.cause == .backend, !labels.contains(where: { $0.kind == .backend }),
          let backend = Self.backend(behind: interval, in: trace.backendCalls)
        {
          labels.append(TraceLabel(kind: .backend, name: backend))
        }
        for label in labels { place = node(FlameFrame(label), under: place) }
      } else if interval.cause != .queue {
        place = node(FlameFrame(.unknown, name: "outside of a recorded hostcall"), under: place)
      }
      add(interval.duration, to: place)
    }
    // The account knows of suspensions beyond the cap, too.
    for cause in BlockCause.allCases where trace.time.blocked[cause] > told[cause] && trace.droppedBlockedIntervals > 0
    {
      let place = node(FlameFrame(.cause, name: cause.name), under: 0)
      add(
        trace.time.blocked[cause] - told[cause],
        to: node(FlameFrame(.unknown, name: "suspensions beyond the cap"), under: place))
    }
  }

  /// The last span that begins at or before an instant, if it lasts beyond it. Spans are in the order of their start.
  private static func span(at instant: Int64, in spans: [Span]) -> Span? {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].start <= instant { low = middle + 1 } else { high = middle }
    }
    guard low > 0, spans[low - 1].start.addingReportingOverflow(spans[low - 1].duration).partialValue > instant else {
      return nil
    }
    return spans[low - 1]
  }

  /// The call that most likely ended a wait whose hostcall names no backend, such as one for a pending request: of those
  /// under way, the one whose head or end came nearest to the wait's end.
  private static func backend(behind interval: BlockedInterval, in calls: [BackendCall]) -> String? {
    let end = Interval.bounded(interval.start) + min(interval.duration, Interval.bound)
    var best: (distance: UInt64, name: String)?
    for call in calls {
      if call.started > end { break }
      let finish = Interval.bounded(call.started) + min(max(0, call.totalNanos), Interval.bound)
      guard finish >= interval.start else { continue }
      let moments = [Interval.bounded(call.firstByte ?? finish), finish]
      for moment in moments {
        let distance = (moment - end).magnitude
        if best.map({ distance < $0.distance }) ?? true { best = (distance, call.name) }
      }
    }
    return best?.name
  }
}

extension FlameFrame {
  fileprivate init(_ label: TraceLabel) { self.init(.label, name: label.name, detail: label.kind.rawValue) }
}
