internal import Synchronization

/// Counts ``TraceTotals`` of one part of a store.
final class TraceTotalsCounter: Sendable {
  private let totals: Mutex<TraceTotals>

  init(names: HostcallNameTable) { totals = Mutex(TraceTotals(names: names)) }

  func add(_ recorder: TraceRecorder) {
    totals.withLock { $0.add(recorder.summed, forEachChunk: recorder.forEachChunk) }
  }

  func add(_ trace: RequestTrace) { totals.withLock { $0.add(trace) } }

  var sum: TraceTotals { totals.withLock { $0 } }
}
