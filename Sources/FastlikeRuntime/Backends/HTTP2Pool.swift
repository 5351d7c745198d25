import NIOCore
import NIOHTTP2

/// The HTTP/2 connections of one event loop, by backend, and those that are being made. Confined to its event loop.
///
/// A call goes on an open connection that has room, else it joins a dial that is under way, else it dials. So calls that
/// start together share one connection. A connection serves up to as many requests as its peer takes.
final class HTTP2Pool {
  /// Makes a connection for a call; the result comes once, unless the returned dial is cancelled first.
  typealias Dialler = (BackendCall, @escaping (Result<any Channel, SendError>) -> Void) -> BackendDial

  /// A connection that is being made, with the calls that wait for it; the first one's phases show it.
  private final class Dialling {
    let definition: BackendDefinition
    var waiting: [BackendCall]
    var dial: BackendDial?
    var slot: ConnectionSlot?

    init(for call: BackendCall) {
      definition = call.backend
      waiting = [call]
    }
  }

  private let dialler: Dialler
  private let queue: ConnectionQueue
  private var connections: [String: [HTTP2Connection]] = [:]
  private var diallings: [String: [Dialling]] = [:]
  private var isShutDown = false

  init(queue: ConnectionQueue, dialler: @escaping Dialler) {
    self.queue = queue
    self.dialler = dialler
  }

  func send(_ call: BackendCall, avoiding avoided: HTTP2Connection? = nil) {
    let backend = call.backend
    guard backend.isPooled else { return dial(call) }
    let open = connections[backend.name]?.first { $0 !== avoided && $0.definition == backend && $0.hasRoom }
    if let open { return open.serve(call, isReused: true) }
    let underWay = diallings[backend.name]?.first {
      $0.definition == backend && $0.waiting.count < HTTP2Connection.assumedStreamLimit
    }
    if let underWay {
      underWay.waiting.append(call)
      abortByLeaving(underWay, call)
    } else {
      dial(call)
    }
  }

  private func dial(_ call: BackendCall) {
    queue.dial(for: call) { slot in self.dial(call, slot: slot) }
  }

  private func dial(_ call: BackendCall, slot: ConnectionSlot?) {
    let dialling = Dialling(for: call)
    dialling.slot = slot
    let name = call.backend.name
    if call.backend.isPooled { diallings[name, default: []].append(dialling) }
    abortByLeaving(dialling, call)
    let dial = dialler(call) { result in
      self.remove(dialling)
      self.finish(dialling, result, for: call)
    }
    dialling.dial = dial
    dial.start()
  }

  /// A call that is given up leaves the others their connection.
  private func abortByLeaving(_ dialling: Dialling, _ call: BackendCall) {
    call.abort = {
      dialling.waiting.removeAll { $0 === call }
      guard dialling.waiting.isEmpty else { return }
      dialling.dial?.cancel()
      dialling.slot?.release()
      self.remove(dialling)
    }
  }

  private func remove(_ dialling: Dialling) {
    let name = dialling.definition.name
    diallings[name]?.removeAll { $0 === dialling }
    if diallings[name]?.isEmpty == true { diallings[name] = nil }
    dialling.dial = nil
  }

  private func finish(_ dialling: Dialling, _ result: Result<any Channel, SendError>, for first: BackendCall) {
    let calls = dialling.waiting
    dialling.waiting = []
    do {
      let connection = try open(try result.get(), to: dialling.definition, slot: dialling.slot)
      for call in calls {
        // A peer may have said meanwhile that it takes fewer requests than wait here.
        if call === first || connection.hasRoom {
          connection.serve(call, isReused: call !== first)
        } else {
          send(call)
        }
      }
    } catch {
      dialling.slot?.release()
      for call in calls { call.fail(SendError(from: error)) }
    }
  }

  private func open(
    _ channel: any Channel, to definition: BackendDefinition, slot: ConnectionSlot?
  ) throws -> HTTP2Connection {
    let connection = HTTP2Connection(to: definition, over: channel, slot: slot, owner: self)
    if definition.isPooled, !isShutDown { connections[definition.name, default: []].append(connection) }
    try channel.pipeline.syncOperations.addHandlers([HTTP2Connection.frameHandler(), connection])
    try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
    return connection
  }

  /// Closes connections when they are idle, and keeps none from now on.
  func shutdown() {
    isShutDown = true
    for connection in connections.values.joined() { connection.drain() }
  }

  /// Another loop waits for this backend's connections.
  func giveUpIdle(of backend: BackendDefinition) {
    for connection in connections[backend.name] ?? [] where connection.definition == backend && connection.isIdle {
      connection.drain()
    }
  }

  /// The number of open connections to this backend that take requests.
  func connectionCount(for backend: BackendDefinition) -> Int {
    connections[backend.name, default: []].count { $0.definition == backend }
  }
}

extension HTTP2Pool: HTTP2ConnectionOwner {
  func gainedRoom(_ connection: HTTP2Connection) {
    while connection.hasRoom, let call = queue.next(for: connection.definition) {
      connection.serve(call, isReused: true)
    }
    if connection.isIdle, queue.isWantedElsewhere(connection.definition) { connection.drain() }
  }

  func forget(_ connection: HTTP2Connection) {
    let name = connection.definition.name
    connections[name]?.removeAll { $0 === connection }
    if connections[name]?.isEmpty == true { connections[name] = nil }
  }

  func retry(_ call: BackendCall, avoiding connection: HTTP2Connection) {
    call.repetitions += 1
    send(call, avoiding: connection)
  }
}
