import CTimestamp
import ComputeABI
import NIOCore
import NIOPosix
import NIOSSL

/// Makes one new connection for a call: name lookup, TCP, TLS, and the instants of each. Confined to its event loop.
final class BackendDial {
  private let call: BackendCall
  private let backend: BackendDefinition
  private let eventLoop: any EventLoop
  private let threadPool: NIOThreadPool
  private let contexts: TLSContextCache
  private var race: ConnectionRace?
  private var channel: (any Channel)?
  private var timeout: Scheduled<Void>?
  private var deadline = NIODeadline.distantFuture
  private var completion: ((Result<any Channel, SendError>) -> Void)?

  /// - Parameter completion: Called once, unless ``cancel()`` comes first; the channel reads by itself from then on, and
  ///   for a plain connection only once the receiver has turned that on.
  init(
    for call: BackendCall, on eventLoop: any EventLoop, threadPool: NIOThreadPool, contexts: TLSContextCache,
    completion: @escaping (Result<any Channel, SendError>) -> Void
  ) {
    self.call = call
    backend = call.backend
    self.eventLoop = eventLoop
    self.threadPool = threadPool
    self.contexts = contexts
    self.completion = completion
  }

  func start() {
    guard backend.usesTLS else { return lookUp(thenSecureWith: nil) }
    contexts.withContext(for: TLSSettings(backend)) { result in
      switch result {
      case .success(let context): self.lookUp(thenSecureWith: context)
      case .failure(let error): self.finish(.failure(error))
      }
    }
  }

  /// Stops; what was opened is closed.
  func cancel() {
    completion = nil
    timeout?.cancel()
    race?.cancel()
    channel?.close(promise: nil)
    release()
  }

  private func lookUp(thenSecureWith context: NIOSSLContext?) {
    guard completion != nil else { return }
    let (host, port, prefersIPv4) = (backend.host, backend.port, backend.prefersIPv4)
    if let addresses = HostLookup.immediateAddresses(of: host, port: port, prefersIPv4: prefersIPv4) {
      return connect(to: addresses, thenSecureWith: context)
    }
    call.exchange.phases.dnsStarted = ctimestamp_monotonic()
    timeout = eventLoop.assumeIsolated().scheduleTask(in: HostLookup.timeout) {
      self.finish(.failure(SendError(.dnsTimeout)))
    }
    threadPool.runIfActive(eventLoop: eventLoop) {
      try HostLookup.addresses(of: host, port: port, prefersIPv4: prefersIPv4)
    }
    .assumeIsolated()
    .whenComplete { result in
      guard self.completion != nil else { return }
      self.timeout?.cancel()
      self.call.exchange.phases.dnsEnded = ctimestamp_monotonic()
      switch result {
      case .success(let addresses): self.connect(to: addresses, thenSecureWith: context)
      case .failure(let error): self.finish(.failure(SendError(from: error)))
      }
    }
  }

  private func connect(to addresses: [SocketAddress], thenSecureWith context: NIOSSLContext?) {
    call.exchange.phases.connectStarted = ctimestamp_monotonic()
    let timeout = backend.connectTimeoutMilliseconds ?? 1000
    // Without a limit the system's own ends the attempt, which is some two minutes.
    deadline = .now() + (timeout == 0 ? .minutes(10) : .milliseconds(Int64(timeout)))
    let race = ConnectionRace(
      to: addresses, deadline: deadline, keepalive: backend.tcpKeepalive, on: eventLoop
    ) { result in
      self.race = nil
      switch result {
      case .success(let channel):
        self.call.exchange.phases.connectEnded = ctimestamp_monotonic()
        self.call.exchange.phases.peerAddress = channel.remoteAddress
        self.channel = channel
        if let context { self.secure(channel, with: context) } else { self.finish(result) }
      case .failure: self.finish(result)
      }
    }
    self.race = race
    race.start()
  }

  private func secure(_ channel: any Channel, with context: NIOSSLContext) {
    call.exchange.phases.tlsStarted = ctimestamp_monotonic()
    timeout = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.finish(.failure(SendError(.connectionTimeout)))
    }
    let gate = TLSHandshakeHandler(certificateName: backend.certificateHost ?? backend.host) { result in
      guard self.completion != nil else { return }
      self.call.exchange.phases.tlsEnded = ctimestamp_monotonic()
      self.finish(result.flatMap { self.accepts($0) ? .success(channel) : .failure(SendError(.httpUpgradeFailed)) })
    }
    do {
      let tls = try NIOSSLClientHandler(context: context, serverHostname: serverName)
      try channel.pipeline.syncOperations.addHandlers([tls, gate])
      try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
    } catch {
      finish(.failure(SendError(from: error)))
    }
  }

  /// Whether the protocol that ALPN chose is the backend's. A peer without ALPN is taken at its configuration's word.
  private func accepts(_ negotiated: String?) -> Bool {
    guard backend.speaksHTTP2, let negotiated, !negotiated.isEmpty else { return true }
    return negotiated == "h2"
  }

  /// The name to send as SNI, which takes no IP addresses (RFC 6066 §3).
  private var serverName: String? {
    guard backend.sendsSNI else { return nil }
    let name = backend.sniHost ?? backend.certificateHost ?? backend.host
    guard IPAddress(name) == nil else { return nil }
    return name.hasSuffix(".") ? String(name.dropLast()) : name
  }

  private func finish(_ result: Result<any Channel, SendError>) {
    guard let completion else { return }
    self.completion = nil
    timeout?.cancel()
    race?.cancel()
    if case .failure = result { channel?.close(promise: nil) }
    release()
    completion(result)
  }

  private func release() {
    timeout = nil
    race = nil
    channel = nil
  }
}
