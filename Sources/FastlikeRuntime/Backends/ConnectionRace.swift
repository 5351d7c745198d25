import ComputeABI
import NIOCore
import NIOPosix

/// Connects to the first of several addresses that answers ("happy eyeballs", RFC 8305).
///
/// The next address is tried when the one before failed, or did not answer within ``stagger``. Confined to its event loop.
final class ConnectionRace {
  /// How long one address has the field for itself (RFC 8305 §5 recommends 250 ms).
  static let stagger = TimeAmount.milliseconds(250)

  private let eventLoop: any EventLoop
  private let deadline: NIODeadline
  private let keepalive: TCPKeepalive?
  private var waiting: ArraySlice<SocketAddress>
  private var pendingCount = 0
  private var failure: SendError?
  private var nextStart: Scheduled<Void>?
  private var completion: ((Result<any Channel, SendError>) -> Void)?

  /// - Parameters:
  ///   - addresses: In the order in which to try them; at least one.
  ///   - keepalive: The system's probes on the connection; nil is none.
  ///   - completion: Called once, unless ``cancel()`` comes first. The channel does not read yet.
  init(
    to addresses: [SocketAddress], deadline: NIODeadline, keepalive: TCPKeepalive? = nil, on eventLoop: any EventLoop,
    completion: @escaping (Result<any Channel, SendError>) -> Void
  ) {
    self.eventLoop = eventLoop
    self.deadline = deadline
    self.keepalive = keepalive
    waiting = addresses[...]
    self.completion = completion
  }

  func start() { startNext() }

  /// Gives all attempts up; a connection that still comes about is closed.
  func cancel() {
    completion = nil
    nextStart?.cancel()
    nextStart = nil
  }

  private func startNext() {
    nextStart?.cancel()
    nextStart = nil
    guard completion != nil else { return }
    let remaining = deadline - .now()
    guard remaining > .nanoseconds(0) else {
      waiting = []
      if pendingCount == 0 { finish(.failure(SendError(.connectionTimeout))) }
      return
    }
    guard let address = waiting.popFirst() else {
      if pendingCount == 0 { finish(.failure(failure ?? SendError(.destinationIPUnroutable))) }
      return
    }
    pendingCount += 1
    if !waiting.isEmpty {
      nextStart = eventLoop.assumeIsolated().scheduleTask(in: Self.stagger) { self.startNext() }
    }
    var bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(remaining)
      .channelOption(ChannelOptions.autoRead, value: false)
    for (option, value) in keepalive?.socketOptions ?? [] { bootstrap = bootstrap.channelOption(option, value: value) }
    bootstrap.connect(to: address)
      .assumeIsolated()
      .whenComplete { self.attemptEnded($0) }
  }

  private func attemptEnded(_ result: Result<any Channel, any Error>) {
    pendingCount -= 1
    switch result {
    case .success(let channel):
      guard completion != nil else {
        channel.close(promise: nil)
        return
      }
      finish(.success(channel))
    case .failure(let error):
      let error = SendError(from: error)
      // An address family that this machine cannot use says less than what another address answered.
      if failure == nil || error.tag != .destinationIPUnroutable { failure = error }
      startNext()
    }
  }

  private func finish(_ result: Result<any Channel, SendError>) {
    let completion = completion
    cancel()
    completion?(result)
  }
}
