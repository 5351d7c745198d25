import ComputeABI
import NIOCore

/// An operation on a KV store whose result the guest has not taken yet.
///
/// Stores are in memory, so the result is there from the start: operations take effect in the order in which they were
/// started. What the guest will get counts against its budget, or it could hold any number of results untaken.
final class PendingStoreOperation {
  /// What came of it.
  enum Outcome {
    /// The entry, if there is one.
    case lookup(KVEntry?)
    case insert(KVError)
    case delete(existed: Bool)
    /// The JSON of a page; nil for a cursor that is none.
    case list([UInt8]?)
  }

  let outcome: Outcome
  private let budget: HostMemoryBudget
  private var charge: Int

  /// Throws `limitexceeded` when the guest makes the host hold too much.
  init(_ outcome: Outcome, budget: HostMemoryBudget) throws(Status) {
    let size =
      switch outcome {
      case .lookup(let entry): entry?.value.count ?? 0
      case .list(let page): page?.count ?? 0
      case .insert, .delete: 0
      }
    try budget.take(size)
    self.outcome = outcome
    self.budget = budget
    charge = size
  }

  deinit { release() }

  /// Gives the budget back what the result took, because a body takes it over.
  func release() {
    budget.giveBack(charge)
    charge = 0
  }
}

/// An insert into a KV store while the body with its value is read.
final class StoreInsertion {
  private let body: GuestBody
  private let store: KVStore
  private let key: [UInt8]
  private let options: KVInsertOptions
  private var value: [UInt8] = []

  init(of body: GuestBody, into store: KVStore, key: [UInt8], options: KVInsertOptions) {
    self.body = body
    self.store = store
    self.key = key
    self.options = options
  }

  /// The writer of a stream learns that nobody reads it, also when the guest ends meanwhile.
  deinit { body.discard() }

  /// What the guest waits for while ``poll()`` answers nil.
  var waitCause: WaitCause { body.waitCause }

  /// Reads on, and writes the entry once all of the value is there. Nil while more of it has to come.
  func poll() -> KVError? {
    do throws(Status) {
      while true {
        switch try body.read(max: .max) {
        case .pending: return nil
        case .end: return store.insert(value, for: key, options)
        case .bytes(let bytes):
          guard value.count + bytes.readableBytes <= KVTable.maximumValueBytes else { return .payloadTooLarge }
          value.append(contentsOf: bytes.readableBytesView)
        }
      }
    } catch {
      return .internalError
    }
  }
}
