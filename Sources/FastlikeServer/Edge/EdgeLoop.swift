import FastlikeRuntime
import Logging
import NIOCore
import Synchronization

/// Counts the open connections of all loops.
final class ConnectionCount: Sendable {
  private let value = Atomic<Int>(0)

  /// Adds a connection and returns how many there are with it.
  func enter() -> Int { value.add(1, ordering: .relaxed).newValue }

  func leave() { value.subtract(1, ordering: .relaxed) }
}

/// A client's connection as its event loop keeps it, whatever is spoken on it.
protocol EdgeLoopMember: AnyObject {
  /// The place in the loop's list.
  var slot: Int { get set }
  /// The tick after which ``deadlinePassed()`` is due.
  var deadline: UInt64 { get }

  func deadlinePassed()
  /// Closes a connection that has no request; the listener shuts down.
  func closeIfIdle()
  func closeNow()
}

/// What the connections of one event loop share; used on that loop only.
///
/// Deadlines are counted in ticks of one timer for all connections, so that a request sets and clears its deadlines
/// without a timer and without a look at the clock.
final class EdgeLoop {
  /// What a connection waits for, in the order of ``ticks``.
  enum Wait: Int {
    case nothing
    case nextRequest
    case head
    case peer
    case linger
  }

  let eventLoop: any EventLoop
  let handler: any RequestHandler
  let settings: EdgeSettings
  let logger: Logger
  let count: ConnectionCount
  /// Whether the listener shuts down: connections close behind their current response.
  private(set) var isDraining = false
  var date = DateLine()

  private var connections: [any EdgeLoopMember] = []
  private var tick: UInt64 = 0
  private let ticks: [UInt64]
  private let tickInterval: TimeAmount
  private var timer: RepeatedTask?
  private var emptied: EventLoopPromise<Void>?
  /// A buffer of no bytes. NIO's own is one object for all event loops, which would count their references to it in one place.
  let noBytes = ByteBufferAllocator().buffer(capacity: 1)
  private var scratch: ByteBuffer
  /// A larger buffer is not kept for the next response.
  private static let maximumScratch = 64 * 1024

  init(
    eventLoop: any EventLoop, handler: any RequestHandler, settings: EdgeSettings, logger: Logger,
    count: ConnectionCount
  ) {
    self.eventLoop = eventLoop
    self.handler = handler.handler(on: eventLoop)
    self.settings = settings
    self.logger = logger
    self.count = count
    scratch = noBytes
    let shortest = min(settings.idleTimeout, settings.headTimeout, settings.lingerTimeout)
    let interval = min(max(shortest / 8, .milliseconds(10)), .seconds(1))
    tickInterval = TimeAmount(interval)
    let timeouts = [settings.idleTimeout, settings.headTimeout, settings.idleTimeout, settings.lingerTimeout]
    // One more tick than the quotient, because the current one is already under way.
    ticks = [.max] + timeouts.map { UInt64(max(0, ($0 / interval).rounded(.up))) + 1 }
  }

  // MARK: Connections

  /// Starts the timer that ends connections whose deadline is over.
  func start() {
    guard timer == nil else { return }
    let loop = NIOLoopBound(self, eventLoop: eventLoop)
    timer = eventLoop.scheduleRepeatedTask(initialDelay: tickInterval, delay: tickInterval) { _ in loop.value.sweep() }
  }

  /// Adds a connection and tells whether it is within the limit.
  func add(_ connection: some EdgeLoopMember) -> Bool {
    connection.slot = connections.count
    connections.append(connection)
    return count.enter() <= settings.maximumConnections
  }

  func remove(_ connection: some EdgeLoopMember) {
    count.leave()
    let last = connections.removeLast()
    if last !== connection {
      last.slot = connection.slot
      connections[connection.slot] = last
    }
    if connections.isEmpty, let emptied {
      self.emptied = nil
      emptied.succeed()
    }
  }

  /// Puts a connection's next handler in the place of the one before.
  func replace(_ connection: some EdgeLoopMember, with next: some EdgeLoopMember) {
    next.slot = connection.slot
    connections[connection.slot] = next
  }

  /// The tick after which a wait that begins now has lasted too long.
  func deadline(for wait: Wait) -> UInt64 { wait == .nothing ? .max : tick + ticks[wait.rawValue] }

  private func sweep() {
    tick += 1
    forEachConnection { if $0.deadline <= tick { $0.deadlinePassed() } }
  }

  /// Visits the connections while they may close: a closing one gives its place to the last one, which was visited.
  private func forEachConnection(_ body: (any EdgeLoopMember) -> Void) {
    var index = connections.count - 1
    while index >= 0 {
      if index < connections.count { body(connections[index]) }
      index -= 1
    }
  }

  // MARK: Shutdown

  /// Lets current responses finish, closes everything after the grace period, and succeeds when no connection is left.
  func drain(gracePeriod: TimeAmount) -> EventLoopFuture<Void> {
    isDraining = true
    forEachConnection { $0.closeIfIdle() }
    guard !connections.isEmpty else {
      stop()
      return eventLoop.makeSucceededVoidFuture()
    }
    let promise = eventLoop.makePromise(of: Void.self)
    emptied = promise
    let loop = NIOLoopBound(self, eventLoop: eventLoop)
    let limit = eventLoop.scheduleTask(in: gracePeriod) { loop.value.forEachConnection { $0.closeNow() } }
    return promise.futureResult.always { _ in
      limit.cancel()
      loop.value.stop()
    }
  }

  private func stop() {
    timer?.cancel()
    timer = nil
  }

  // MARK: Scratch buffer

  /// An empty buffer to write a response in. It is taken out, so that a response that begins within another one's
  /// callback gets a buffer of its own.
  func takeScratch() -> ByteBuffer {
    var buffer = noBytes
    swap(&buffer, &scratch)
    return buffer
  }

  /// Gives a buffer back when its bytes were handed over; NIO's copy of an unwritten one stays as it is.
  func returnScratch(_ buffer: consuming ByteBuffer) {
    guard buffer.capacity <= Self.maximumScratch else { return }
    scratch = buffer
    scratch.clear()
  }
}
