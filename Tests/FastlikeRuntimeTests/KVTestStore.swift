import ComputeABI
import Foundation
import Logging
import Synchronization
import Testing

@testable import FastlikeRuntime

/// A time that a test moves on.
final class TestClock: Sendable {
  private let nanoseconds = Mutex<UInt64>(1)

  var now: UInt64 {
    get { nanoseconds.withLock { $0 } }
    set { nanoseconds.withLock { $0 = newValue } }
  }
}

/// Both ways of keeping KV stores, whose rules are the same.
enum KVStorageKind: CaseIterable, Sendable {
  case memory, disk
}

/// A KV store of a test, with a clock of its own. A store on disk has a folder that goes with it.
final class KVTestStore {
  let clock = TestClock()
  let storage: any KVStorage
  let folder: String
  private let name: String

  init(_ kind: KVStorageKind, seed: KVStoreSeed = KVStoreSeed()) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("fastlike-kv-\(UUID().uuidString)").path
    name = "s"
    let clock = clock
    storage =
      switch kind {
      case .memory: KVMemory(clock: { clock.now })
      case .disk:
        try KVDatabase(directory: folder, logger: silentLogger, clock: { clock.now })
      }
    storage.adopt([name: seed], overwrites: false)
  }

  deinit {
    storage.close()
    try? FileManager.default.removeItem(atPath: folder)
  }

  func perform(_ operation: KVOperation, on store: String? = nil) async -> KVOutcome {
    let store = KVStore(name: store ?? name, storage: storage)
    if let outcome = store.perform(operation) { return outcome }
    return await withCheckedContinuation { waiting in store.enqueue(operation) { waiting.resume(returning: $0) } }
  }

  func insert(_ key: String, _ value: String, _ options: KVInsertOptions = KVInsertOptions()) async -> KVError {
    await perform(.insert(bytes(key), value: bytes(value), options)).error
  }

  func entry(_ key: String) async -> KVEntry? { await perform(.lookup(bytes(key))).entry }

  func value(_ key: String) async -> String? { await entry(key).map { String(decoding: $0.value, as: UTF8.self) } }

  func delete(_ key: String) async -> KVError { await perform(.delete(bytes(key))).error }

  func list(_ query: KVListQuery = KVListQuery()) async -> KVPage {
    guard case .page(let page) = await perform(.list(query)) else { return KVPage(limit: 0) }
    return page
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A logger that writes nothing.
let silentLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
