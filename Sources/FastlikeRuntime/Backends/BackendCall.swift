import CTimestamp
import ComputeABI
import NIOCore
import NIOHPACK

/// A request on its way: encoded once, tried on one connection or a few. Confined to its event loop.
final class BackendCall {
  let exchange: BackendExchange
  let backend: BackendDefinition
  let method: String
  /// The head as it goes on a connection of HTTP/1.1; empty for HTTP/2.
  let head: ByteBuffer
  /// The head for a connection of HTTP/2; nil for HTTP/1.1.
  let headerBlock: HPACKHeaders?
  let framing: Framing
  let body: OutgoingBody
  /// What goes to the backend once it has switched protocols; nil where it may not.
  let tunnel: BodyPipe?
  /// Whether nothing was taken out of a streamed body yet, so that it can be sent again.
  var isBodyIntact = true
  /// Connections of HTTP/2 that it was to be tried on again.
  var repetitions = 0
  /// A peer that sends every request away is asked three times.
  private static let maximumRepetitions = 2
  /// Ends what is being done for this call at the moment.
  var abort: (() -> Void)?
  private let eventLoop: any EventLoop
  /// Whether `send` has not returned yet; until then nothing is reported, so that its caller can put callbacks in place.
  private var isStarting = true
  private var hasEnded = false

  /// - Throws: What ``RequestEncoder`` finds wrong with the head.
  init(
    _ request: BackendRequest, to backend: BackendDefinition, exchange: BackendExchange, on eventLoop: any EventLoop
  ) throws(SendError) {
    self.exchange = exchange
    self.backend = backend
    self.eventLoop = eventLoop
    method = request.head.method
    body = request.body
    tunnel = request.tunnel
    var wire = request.head
    framing = FramingHeaders.resolve(
      headers: &wire.headers, mode: request.framing, bodyLength: request.body.knownLength,
      messageKind: .request(method: method))
    if request.tunnel != nil {
      // Streams of HTTP/2 cannot be handed over.
      if backend.speaksHTTP2 { throw SendError(.httpUpgradeFailed) }
      HandoffTarget.restoreUpgrade(of: request.head.headers, in: &wire.headers)
    }
    if backend.speaksHTTP2 {
      headerBlock = try HTTP2Headers.request(wire, usesTLS: backend.usesTLS)
      head = ByteBuffer()
    } else {
      headerBlock = nil
      head = try RequestEncoder.head(wire, closesAfter: !backend.isPooled && tunnel == nil)
    }
    exchange.cancelHandler = { self.cancel() }
  }

  func started() { isStarting = false }

  /// Whether it can be sent again over HTTP/2.
  var canRepeat: Bool { isBodyIntact && repetitions < Self.maximumRepetitions }

  /// There will be no response.
  func fail(_ error: SendError) {
    guard !isStarting else {
      eventLoop.assumeIsolated().execute { self.fail(error) }
      return
    }
    guard !hasEnded else { return }
    let now = ctimestamp_monotonic()
    exchange.settle(.failed(error))
    end(at: now)
  }

  /// Nothing more will come: the writer of the body is told, the exchange ends.
  func end(at now: UInt64) {
    hasEnded = true
    abort = nil
    exchange.cancelHandler = nil
    if case .pipe(let pipe, _) = body { pipe.cancel() }
    tunnel?.cancel()
    exchange.end(at: now)
  }

  private func cancel() {
    let abort = abort
    self.abort = nil
    abort?()
    end(at: ctimestamp_monotonic())
  }
}

extension OutgoingBody {
  /// The length in bytes where it is known before the body is sent.
  var knownLength: Int? {
    switch self {
    case .empty: 0
    case .bytes(let buffer): buffer.readableBytes
    case .pipe(_, let knownLength): knownLength
    }
  }
}
