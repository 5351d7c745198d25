import CTimestamp
import ComputeABI
import Synchronization

/// KV stores in memory: what one request writes, every later one finds, across reloads too, until the process ends. One lock
/// guards all stores, so that their bytes are bounded together.
final class KVMemory: KVStorage {
  /// Bytes that guests may make all stores hold.
  static let defaultByteLimit = 512 << 20

  private let tables = Mutex<[String: KVTable]>([:])
  private let clock: @Sendable () -> UInt64
  private let byteLimit: Int

  /// - Parameter clock: Nanoseconds since some time, never going back.
  init(byteLimit: Int = defaultByteLimit, clock: @escaping @Sendable () -> UInt64 = { ctimestamp_monotonic() }) {
    self.byteLimit = byteLimit
    self.clock = clock
  }

  func perform(_ operation: KVOperation, on store: String) -> KVOutcome? {
    tables.withLock { tables in
      let now = clock()
      guard case .insert = operation else {
        return tables[store, default: KVTable()].perform(operation, now: now, room: 0)
      }
      func attempt() -> KVOutcome {
        let room = byteLimit - tables.values.reduce(0) { $0 + $1.byteCount }
        return tables[store, default: KVTable()].perform(operation, now: now, room: room)
      }
      let first = attempt()
      guard first == .done(.internalError) else { return first }
      for name in Array(tables.keys) { tables[name]?.sweep(now: now) }
      return attempt()
    }
  }

  func enqueue(_ operation: KVOperation, on store: String, then done: @escaping @Sendable (KVOutcome) -> Void) {
    done(perform(operation, on: store) ?? .done(.internalError))
  }

  func adopt(_ seeds: [String: KVStoreSeed], overwrites: Bool) {
    tables.withLock { tables in
      let now = clock()
      for (name, seed) in seeds { tables[name, default: KVTable()].adopt(seed, overwrites: overwrites, now: now) }
    }
  }

  func close() {}

  func withTables<Result: Sendable>(_ body: ([String: KVTable], UInt64) -> Result) -> Result {
    tables.withLock { body($0, clock()) }
  }
}
