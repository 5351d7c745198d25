import DequeModule
import NIOCore
import Synchronization

/// Counts the connections of backends that limit them (`max_connections`), for all event loops of the process.
///
/// Connections live on loops that know nothing of each other, so a loop that finds the limit reached waits here, in turn, and
/// the others are asked to give up what they keep idle. Backends without a limit never come here.
public final class ConnectionSlots: Sendable {
  private struct Waiter {
    var id: UInt64
    var eventLoop: any EventLoop
    var granted: @Sendable () -> Void
  }

  private struct Entry {
    var open = 0
    var waiters: Deque<Waiter> = []
  }

  private struct State {
    var entries: [BackendDefinition: Entry] = [:]
    var lastID: UInt64 = 0
    var evictors: [(eventLoop: any EventLoop, evict: @Sendable (BackendDefinition) -> Void)] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// Has a loop told when another one waits for a backend's connections.
  func register(_ eventLoop: any EventLoop, evict: @escaping @Sendable (BackendDefinition) -> Void) {
    state.withLock { $0.evictors.append((eventLoop, evict)) }
  }

  /// Takes one of a backend's slots if one is free.
  func takeFree(of definition: BackendDefinition, limit: Int) -> Bool {
    state.withLock { state in
      guard state.entries[definition, default: Entry()].open < limit else { return false }
      state.entries[definition, default: Entry()].open += 1
      return true
    }
  }

  /// Waits for a slot; `granted` is called on the loop, with the slot taken. Returns what ``cancel(_:of:)`` needs.
  func wait(
    for definition: BackendDefinition, on eventLoop: any EventLoop, granted: @escaping @Sendable () -> Void
  ) -> UInt64 {
    let (id, evictors) = state.withLock { state in
      state.lastID += 1
      state.entries[definition, default: Entry()].waiters.append(
        Waiter(id: state.lastID, eventLoop: eventLoop, granted: granted))
      return (state.lastID, state.evictors)
    }
    for (loop, evict) in evictors where loop !== eventLoop { loop.execute { evict(definition) } }
    return id
  }

  /// Waits no more. A slot that is on its way all the same has to be given back by the one that gets it.
  func cancel(_ id: UInt64, of definition: BackendDefinition) {
    state.withLock { state in
      state.entries[definition]?.waiters.removeAll { $0.id == id }
      Self.tidy(&state, definition)
    }
  }

  /// Whether anybody waits for a slot of this backend.
  func hasWaiters(for definition: BackendDefinition) -> Bool {
    state.withLock { !($0.entries[definition]?.waiters.isEmpty ?? true) }
  }

  /// Gives a slot back, or on to the next that waits.
  func release(_ definition: BackendDefinition) {
    let next: Waiter? = state.withLock { state in
      if let next = state.entries[definition]?.waiters.popFirst() { return next }
      state.entries[definition]?.open -= 1
      Self.tidy(&state, definition)
      return nil
    }
    next?.eventLoop.execute { next?.granted() }
  }

  private static func tidy(_ state: inout State, _ definition: BackendDefinition) {
    guard let entry = state.entries[definition], entry.open <= 0, entry.waiters.isEmpty else { return }
    state.entries[definition] = nil
  }
}

/// The right to one connection of a backend that limits them; given back once, at the latest when it is forgotten.
final class ConnectionSlot {
  private let slots: ConnectionSlots
  private let definition: BackendDefinition
  private var isReleased = false

  init(_ slots: ConnectionSlots, _ definition: BackendDefinition) {
    self.slots = slots
    self.definition = definition
  }

  deinit { release() }

  func release() {
    guard !isReleased else { return }
    isReleased = true
    slots.release(definition)
  }
}
