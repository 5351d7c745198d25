internal import Synchronization

/// Counts ``TraceTotals`` from many threads: spread over several locks, as requests on different loops finish at the
/// same time and must not wait for each other.
final class TraceTotalsCounter: Sendable {
  private final class Shard: Sendable {
    let totals: Mutex<TraceTotals>
    init(names: HostcallNameTable) { totals = Mutex(TraceTotals(names: names)) }
  }

  private let names: HostcallNameTable
  private let shards: [Shard]

  init(names: HostcallNameTable) {
    self.names = names
    shards = (0..<8).map { _ in Shard(names: names) }
  }

  func add(_ request: SummedRequest, id: UInt64) { shards[Int(id & 7)].totals.withLock { $0.add(request) } }

  var sum: TraceTotals {
    shards.reduce(into: TraceTotals(names: names)) { sum, shard in sum.merge(shard.totals.withLock { $0 }) }
  }
}
