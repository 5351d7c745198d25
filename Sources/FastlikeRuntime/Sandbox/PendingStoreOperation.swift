import ComputeABI
import NIOCore

/// An operation on a KV store whose result the guest has not taken yet.
///
/// A storage in memory has the result from the start; one on disk brings it later and wakes the sandbox. What the guest will
/// get counts against its budget, or it could hold any number of results untaken; so does what it writes, until that is
/// written.
final class PendingStoreOperation {
  enum Kind {
    case lookup, insert, delete, list
  }

  let kind: Kind
  private var outcome: KVOutcome?
  /// Why the guest cannot have the outcome.
  private var failure: Status?
  private let budget: HostMemoryBudget
  private var charge = 0

  /// Throws `limitexceeded` when the guest makes the host hold too much.
  init(_ operation: KVOperation, budget: HostMemoryBudget) throws(Status) {
    self.budget = budget
    switch operation {
    case .lookup: kind = .lookup
    case .delete: kind = .delete
    case .list: kind = .list
    case .insert(let key, let value, _):
      kind = .insert
      try budget.take(key.count + value.count)
      charge = key.count + value.count
    }
  }

  deinit { release() }

  var isSettled: Bool { outcome != nil || failure != nil }

  /// What came of it; nil while it runs. Throws `limitexceeded` where that is more than the guest may hold.
  func result() throws(Status) -> KVOutcome? {
    if let failure { throw failure }
    return outcome
  }

  func settle(_ outcome: KVOutcome) {
    release()
    let size =
      switch outcome {
      case .entry(let entry): entry.value.count
      case .page(let page): page.keys.reduce(0) { $0 + $1.count }
      case .done: 0
      }
    do throws(Status) {
      try budget.take(size)
      charge = size
      self.outcome = outcome
    } catch {
      failure = error
    }
  }

  /// Gives the budget back what the operation took, because a body takes it over.
  func release() {
    budget.giveBack(charge)
    charge = 0
  }
}

/// The operations of one sandbox that a storage has not finished.
final class StoreTraffic {
  /// More than a guest has reason to start before it takes results.
  static let maximumInFlight = 512

  var inFlight = 0
}

/// What a storage's thread hands back to the sandbox, on the sandbox's loop.
private final class StoreArrival {
  private let operation: PendingStoreOperation
  private let traffic: StoreTraffic
  private let waker: Waker

  init(_ operation: PendingStoreOperation, traffic: StoreTraffic, waker: Waker) {
    self.operation = operation
    self.traffic = traffic
    self.waker = waker
    traffic.inFlight += 1
  }

  func settle(_ outcome: KVOutcome) {
    traffic.inFlight -= 1
    operation.settle(outcome)
    waker.wake()
  }
}

extension Sandbox {
  /// Starts an operation; a storage on disk goes on with it while the guest runs, and also when the guest ends.
  ///
  /// Throws `limitexceeded` when the guest makes the host hold too much or has too many operations under way.
  func start(_ operation: KVOperation, on store: KVStore) throws(Status) -> PendingStoreOperation {
    let pending = try PendingStoreOperation(operation, budget: budget)
    if let outcome = store.perform(operation) {
      pending.settle(outcome)
      return pending
    }
    guard storeTraffic.inFlight < StoreTraffic.maximumInFlight else { throw .limitexceeded }
    let arrival = NIOLoopBound(
      StoreArrival(pending, traffic: storeTraffic, waker: waker), eventLoop: eventLoop)
    let eventLoop = eventLoop
    store.enqueue(operation) { outcome in eventLoop.execute { arrival.value.settle(outcome) } }
    return pending
  }
}

/// An insert into a KV store while the body with its value is read. It is started when all of the value is there.
final class StoreInsertion {
  private let body: GuestBody
  private var value: [UInt8] = []

  init(of body: GuestBody) { self.body = body }

  /// The writer of a stream learns that nobody reads it, also when the guest ends meanwhile.
  deinit { body.discard() }

  /// What the guest waits for while ``poll()`` answers nil.
  var waitCause: WaitCause { body.waitCause }

  /// What became of the body.
  enum Progress {
    case value([UInt8])
    /// The error of an insert that comes to nothing.
    case failed(KVError)
  }

  /// Reads on. Nil while more has to come.
  func poll() -> Progress? {
    do throws(Status) {
      while true {
        switch try body.read(max: .max) {
        case .pending: return nil
        case .end: return .value(value)
        case .bytes(let bytes):
          guard value.count + bytes.readableBytes <= KVLimits.valueBytes else { return .failed(.payloadTooLarge) }
          value.append(contentsOf: bytes.readableBytesView)
        }
      }
    } catch {
      return .failed(.internalError)
    }
  }
}
