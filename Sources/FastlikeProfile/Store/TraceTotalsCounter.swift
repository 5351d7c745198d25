internal import Synchronization

/// Counts ``TraceTotals`` of one part of a store.
final class TraceTotalsCounter: Sendable {
  private let totals: Mutex<TraceTotals>

  init(names: HostcallNameTable) { totals = Mutex(TraceTotals(names: names)) }

  func add(_ request: SummedRequest, spans: UnsafeBufferPointer<Span>) {
    totals.withLock { $0.add(request, spans: spans) }
  }

  func add(_ trace: RequestTrace) { totals.withLock { $0.add(trace) } }

  var sum: TraceTotals { totals.withLock { $0 } }
}
