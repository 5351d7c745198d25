import ComputeABI
import NIOCore

/// The calls of one event loop that wait for a connection to a backend that limits them. Confined to its event loop.
///
/// A call gets the next connection that becomes free on its loop, or the right to dial when one is closed anywhere. It waits
/// as long as connecting may take, and then fails with ``SendError/Tag/connectionLimitReached``.
final class ConnectionQueue {
  private final class Wait {
    let call: BackendCall
    let dial: (ConnectionSlot?) -> Void
    var id: UInt64 = 0
    var timeout: Scheduled<Void>?

    init(_ call: BackendCall, dial: @escaping (ConnectionSlot?) -> Void) {
      self.call = call
      self.dial = dial
    }
  }

  private let slots: ConnectionSlots
  private let eventLoop: any EventLoop
  private var waiting: [Wait] = []

  init(slots: ConnectionSlots, eventLoop: any EventLoop) {
    self.slots = slots
    self.eventLoop = eventLoop
  }

  /// Has a connection dialled for the call, with its slot where the backend limits them: at once, or when it is its turn.
  func dial(for call: BackendCall, _ dial: @escaping (ConnectionSlot?) -> Void) {
    let backend = call.backend
    guard let limit = backend.connectionLimits.maximumConnections, limit > 0 else { return dial(nil) }
    if slots.takeFree(of: backend, limit: Int(limit)) { return dial(ConnectionSlot(slots, backend)) }
    let wait = Wait(call, dial: dial)
    waiting.append(wait)
    call.abort = { self.remove(wait) }
    let bound = NIOLoopBound((self, wait), eventLoop: eventLoop)
    wait.id = slots.wait(for: backend, on: eventLoop) { bound.value.0.granted(bound.value.1) }
    let milliseconds = backend.connectTimeoutMilliseconds ?? 1_000
    guard milliseconds > 0 else { return }
    wait.timeout = eventLoop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
      let (queue, wait) = bound.value
      guard queue.remove(wait) else { return }
      wait.call.fail(SendError(.connectionLimitReached))
    }
  }

  private func granted(_ wait: Wait) {
    let slot = ConnectionSlot(slots, wait.call.backend)
    guard remove(wait) else { return slot.release() }
    wait.dial(slot)
  }

  @discardableResult
  private func remove(_ wait: Wait) -> Bool {
    guard let index = waiting.firstIndex(where: { $0 === wait }) else { return false }
    waiting.remove(at: index)
    wait.timeout?.cancel()
    wait.call.abort = nil
    slots.cancel(wait.id, of: wait.call.backend)
    return true
  }

  /// The call that has waited longest for this backend, which gets a connection that has become free instead.
  func next(for definition: BackendDefinition) -> BackendCall? {
    guard let wait = waiting.first(where: { $0.call.backend == definition }) else { return nil }
    remove(wait)
    return wait.call
  }

  /// Whether a connection that has become idle is wanted by another loop, and by no call of this one.
  func isWantedElsewhere(_ definition: BackendDefinition) -> Bool {
    guard let limit = definition.connectionLimits.maximumConnections, limit > 0 else { return false }
    return !waiting.contains { $0.call.backend == definition } && slots.hasWaiters(for: definition)
  }
}
