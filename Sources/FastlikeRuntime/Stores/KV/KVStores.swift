import ComputeABI
import Logging
import Synchronization

/// Where the entries of all KV stores of a process are kept.
protocol KVStorage: KVInspecting {
  /// Does what is asked at once, where that never takes long; nil says that ``enqueue(_:on:then:)`` has to be used.
  func perform(_ operation: KVOperation, on store: String) -> KVOutcome?
  /// Does what is asked on a thread of its own, in the order of the calls, and tells there what came of it.
  func enqueue(_ operation: KVOperation, on store: String, then done: @escaping @Sendable (KVOutcome) -> Void)
  /// Brings in the seeds of a configuration, before every operation that is started later.
  ///
  /// - Parameter overwrites: Whether a seed counts more than what requests have written.
  func adopt(_ seeds: [String: KVStoreSeed], overwrites: Bool)
  /// Waits for what was started, and lets go of files.
  func close()
}

/// One KV store of the process, as a guest has opened it.
struct KVStore: Sendable {
  let name: String
  private let storage: any KVStorage

  init(name: String, storage: any KVStorage) {
    self.name = name
    self.storage = storage
  }

  /// As ``KVStorage/perform(_:on:)``.
  func perform(_ operation: KVOperation) -> KVOutcome? { storage.perform(operation, on: name) }

  /// As ``KVStorage/enqueue(_:on:then:)``.
  func enqueue(_ operation: KVOperation, then done: @escaping @Sendable (KVOutcome) -> Void) {
    storage.enqueue(operation, on: name, then: done)
  }
}

/// The storages of a process, each made when a service first asks for it, and kept across reloads.
final class KVStorages: Sendable {
  private let memory = KVMemory()
  private let databases = Mutex<[String: KVDatabase]>([:])
  private let logger: Logger

  init(logger: Logger) { self.logger = logger }

  /// The storage in a folder, or the one in memory. A folder that cannot be used gives a storage whose operations fail, and
  /// the log says why.
  func storage(in directory: String?) -> any KVStorage {
    guard let directory else { return memory }
    return databases.withLock { databases in
      if let known = databases[directory] { return known }
      do {
        let database = try KVDatabase(directory: directory, logger: logger)
        databases[directory] = database
        return database
      } catch {
        KVFailureReports(directory: directory, logger: logger).failed(error)
        return KVUnavailable(place: directory + "/" + KVDatabase.fileName)
      }
    }
  }

  /// Waits for what was started.
  func close() {
    for database in databases.withLock({ Array($0.values) }) { database.close() }
  }
}

/// Stores whose file cannot be opened.
private struct KVUnavailable: KVStorage {
  private struct Failure: Error {}

  let place: String

  func perform(_ operation: KVOperation, on store: String) -> KVOutcome? { .done(.internalError) }

  func enqueue(_ operation: KVOperation, on store: String, then done: @escaping @Sendable (KVOutcome) -> Void) {
    done(.done(.internalError))
  }

  func adopt(_ seeds: [String: KVStoreSeed], overwrites: Bool) {}

  func close() {}

  func summaries() async throws -> [KVSummary] { throw Failure() }

  func keys(of store: String, _ query: KVListQuery) async throws -> KVKeyPage { throw Failure() }
}
