import CTimestamp
import ComputeABI
public import Logging
public import NIOCore
public import NIOPosix

/// Sends requests to backends over HTTP/1.1, and over HTTP/2 where the backend wants that, with one pool of connections for
/// its event loop.
///
/// Make one for each event loop and use it on that loop only; nothing is locked. Connections are pooled by the backend's
/// whole definition, so that backends with equal definitions share them and a changed definition starts anew. The
/// youngest idle connection is taken first, which lets the others run into their idle timeout.
///
/// A send is never reported before it has returned, so its caller has time to put callbacks into the exchange. A
/// cancelled exchange ends without being settled, unless its response was there already.
public final class BackendConnector: BackendConnecting {
  private let eventLoop: any EventLoop
  private let threadPool: NIOThreadPool
  private let logger: Logger
  private let contexts: TLSContextCache
  private var reliability = ReliabilitySimulator()
  /// Idle connections by the backend's name, the youngest last.
  private var idle: [String: [BackendConnection]] = [:]
  private let http2: HTTP2Pool
  private let queue: ConnectionQueue
  private var isShutDown = false

  /// - Parameters:
  ///   - eventLoop: The loop that all use is on.
  ///   - threadPool: Runs the system's resolver and reads certificate files, both of which block.
  ///   - slots: Counts connections for all connectors of the process.
  ///   - logger: Gets warnings about backends that cannot be served; names of backends only.
  public init(
    eventLoop: any EventLoop, threadPool: NIOThreadPool = .singleton, slots: ConnectionSlots = ConnectionSlots(),
    logger: Logger
  ) {
    self.eventLoop = eventLoop
    self.threadPool = threadPool
    self.logger = logger
    let contexts = TLSContextCache(eventLoop: eventLoop, threadPool: threadPool)
    self.contexts = contexts
    let queue = ConnectionQueue(slots: slots, eventLoop: eventLoop)
    self.queue = queue
    http2 = HTTP2Pool(queue: queue) { call, completion in
      BackendDial(for: call, on: eventLoop, threadPool: threadPool, contexts: contexts, completion: completion)
    }
    let bound = NIOLoopBound(WeakConnector(self), eventLoop: eventLoop)
    slots.register(eventLoop) { bound.value.connector?.giveUpIdle(of: $0) }
  }

  public func send(_ request: BackendRequest, to backend: BackendDefinition) -> BackendExchange {
    eventLoop.assertInEventLoop()
    let exchange = BackendExchange(started: ctimestamp_monotonic())
    if reliability.nextSendFails(to: backend) {
      refuse(exchange, request, SendError(.connectionTerminated, isSynthetic: true))
      return exchange
    }
    do {
      let call = try BackendCall(request, to: backend, exchange: exchange, on: eventLoop)
      if backend.speaksHTTP2 {
        http2.send(call)
      } else if let connection = takeIdle(for: backend) {
        connection.serve(call)
      } else {
        dial(call)
      }
      call.started()
    } catch {
      refuse(exchange, request, error)
    }
    return exchange
  }

  /// Closes the idle connections and keeps none from now on; exchanges in flight, and those still to come from guests
  /// that are being drained, finish as usual.
  public func shutdown() {
    eventLoop.assertInEventLoop()
    isShutDown = true
    http2.shutdown()
    let connections = idle.values.joined()
    idle = [:]
    for connection in connections { connection.close() }
  }

  /// The number of idle connections that are kept for this backend.
  ///
  /// Connections of HTTP/2 count too, idle or not, because each of them can take another request.
  public func idleConnectionCount(for backend: BackendDefinition) -> Int {
    if backend.speaksHTTP2 { return http2.connectionCount(for: backend) }
    return idle[backend.name, default: []].count { $0.definition == backend }
  }

  /// Another loop waits for this backend's connections.
  private func giveUpIdle(of backend: BackendDefinition) {
    for connection in idle[backend.name] ?? [] where connection.definition == backend { connection.close() }
    http2.giveUpIdle(of: backend)
  }

  private func takeIdle(for backend: BackendDefinition) -> BackendConnection? {
    guard backend.isPooled,
      let index = idle[backend.name]?.lastIndex(where: { $0.definition == backend && $0.allowsReuse })
    else { return nil }
    let connection = idle[backend.name]?.remove(at: index)
    if idle[backend.name]?.isEmpty == true { idle[backend.name] = nil }
    return connection
  }

  private func dial(_ call: BackendCall) {
    queue.dial(for: call) { slot in self.dial(call, slot: slot) }
  }

  private func dial(_ call: BackendCall, slot: ConnectionSlot?) {
    let dial = BackendDial(for: call, on: eventLoop, threadPool: threadPool, contexts: contexts) { result in
      do {
        let channel = try result.get()
        let connection = BackendConnection(to: call.backend, over: channel, slot: slot, owner: self)
        try channel.pipeline.syncOperations.addHandler(connection)
        try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
        connection.serve(call)
      } catch {
        slot?.release()
        call.fail(SendError(from: error))
      }
    }
    call.abort = {
      dial.cancel()
      slot?.release()
    }
    dial.start()
  }

  private func refuse(_ exchange: BackendExchange, _ request: BackendRequest, _ error: SendError) {
    eventLoop.assumeIsolated().execute {
      exchange.settle(.failed(error))
      if case .pipe(let pipe, _) = request.body { pipe.cancel() }
      request.tunnel?.cancel()
      exchange.end(at: ctimestamp_monotonic())
    }
  }
}

extension BackendConnector: BackendConnectionOwner {
  func keep(_ connection: BackendConnection) -> Bool {
    guard !isShutDown, !queue.isWantedElsewhere(connection.definition) else { return false }
    idle[connection.definition.name, default: []].append(connection)
    return true
  }

  func becameIdle(_ connection: BackendConnection) {
    guard let list = idle[connection.definition.name], list.contains(where: { $0 === connection }),
      let call = queue.next(for: connection.definition)
    else { return }
    forget(connection)
    connection.serve(call)
  }

  func forget(_ connection: BackendConnection) {
    let name = connection.definition.name
    guard let index = idle[name]?.lastIndex(where: { $0 === connection }) else { return }
    idle[name]?.remove(at: index)
    if idle[name]?.isEmpty == true { idle[name] = nil }
  }

  func retry(_ call: BackendCall) { dial(call) }
}

/// Lets the process's count of connections ask a connector without keeping it.
private final class WeakConnector {
  weak var connector: BackendConnector?

  init(_ connector: BackendConnector) { self.connector = connector }
}
