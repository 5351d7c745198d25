import CTimestamp
import ComputeABI
import FastlikeProfile
import NIOCore

/// Handing the client's connection over: `redirect_to_websocket_proxy`, `redirect_to_grip_proxy` and their successors.
///
/// The guest gives the response away and may go on or end; the host sends the request to the backend, and passes its answer
/// on. An answer of 101 joins both connections until one side closes.
extension Sandbox {
  private enum Proxy {
    case websocket
    case grip
  }

  func httpReqUpgradeWebsocket(backendName: GuestBytes) throws(Status) -> Blocking<Void> {
    try handOver(served.request.head, to: backendName, .websocket)
  }

  func httpReqRedirectToWebsocketProxy(backendName: GuestBytes) throws(Status) -> Blocking<Void> {
    try handOver(served.request.head, to: backendName, .websocket)
  }

  func httpReqRedirectToGripProxy(backendName: GuestBytes) throws(Status) -> Blocking<Void> {
    try handOver(served.request.head, to: backendName, .grip)
  }

  func httpReqRedirectToWebsocketProxyV2(
    handle: RequestHandle, backendName: GuestBytes
  ) throws(Status) -> Blocking<Void> {
    let head = HandoffTarget.merged(served.request.head, with: try guestRequest(handle).head)
    return try handOver(head, to: backendName, .websocket)
  }

  func httpReqRedirectToGripProxyV2(handle: RequestHandle, backendName: GuestBytes) throws(Status) -> Blocking<Void> {
    let head = HandoffTarget.merged(served.request.head, with: try guestRequest(handle).head)
    return try handOver(head, to: backendName, .grip)
  }

  private func handOver(
    _ head: RequestHead, to backendName: GuestBytes, _ proxy: Proxy
  ) throws(Status) -> Blocking<Void> {
    let name = try backendName.string()
    trace?.label(.backend, name)
    guard served.responseState == .awaited else { throw .error }
    served.responseState = .sent
    let handoff = Handoff(of: served)
    guard let backend = backend(named: name) else {
      handoff.refuse(500, "the backend to hand the request over to is not known")
      return .ready(())
    }
    let target: BackendDefinition
    var wire: RequestHead
    do throws(SendError) {
      switch proxy {
      case .websocket:
        target = Handoff.patient(backend)
        wire = try HandoffTarget.websocket(head, to: target)
      case .grip:
        guard let port = service.configuration.pushpinPort else {
          handoff.refuse(500, "there is no GRIP proxy: give --local-pushpin-proxy-port, or enable local_server.pushpin")
          return .ready(())
        }
        target = Handoff.patient(HandoffTarget.gripProxy(port: port))
        wire = try HandoffTarget.grip(head, route: name, proxy: target)
      }
    } catch {
      handoff.refuse(502, "the request cannot be handed over: \(error.tag)")
      return .ready(())
    }
    let call =
      trace?.backendCall(
        to: name, method: wire.method, url: RedactedURL(wire.uri), variant: .handoff, isDynamic: backend.isDynamic)
      ?? .none
    if let own = trace?.traceparent(of: call) {
      TracePropagation.carry(own, from: served.request.head.headers, to: &wire.headers)
    }
    let request = BackendRequest(
      head: wire, framing: .automatic, body: takeClientBody(), tunnel: handoff.fromClient)
    handoff.follow(loop.connector.send(request, to: target), as: call)
    return .ready(())
  }

  /// What is left of the client's body. The guest keeps the handle, and finds nothing more behind it.
  private func takeClientBody() -> OutgoingBody {
    guard case .body(let body)? = items[downstreamHandles.body.rawValue], body.knownLength != 0 else { return .empty }
    return body.outgoing()
  }
}

/// A client's connection on its way to a backend. It outlives its guest: the exchange and the client's responder keep it.
private final class Handoff {
  /// What the client sends once both sides speak another protocol.
  let fromClient = BodyPipe()
  private let served: ServedRequest
  private let trace: TraceRecorder?

  init(of served: ServedRequest) {
    self.served = served
    trace = served.isReleased ? nil : served.trace
  }

  /// Waits for answers as long as clients do, unless the backend's own limits are set: a proxy for GRIP holds requests.
  static func patient(_ backend: BackendDefinition) -> BackendDefinition {
    var patient = backend
    patient.firstByteTimeoutMilliseconds = backend.firstByteTimeoutMilliseconds ?? 0
    patient.betweenBytesTimeoutMilliseconds = backend.betweenBytesTimeoutMilliseconds ?? 0
    return patient
  }

  func follow(_ exchange: BackendExchange, as call: BackendCallToken) {
    trace?.observeBackendCall(call)
    exchange.onEnded = { [trace] exchange in trace?.record(exchange, as: call) }
    exchange.onSettled = { [self, unowned exchange] in settled(exchange) }
    served.onAbandoned = { [weak exchange, weak served] in
      exchange?.cancel()
      // A client that left before any answer is done with now.
      served?.abort()
    }
  }

  private func settled(_ exchange: BackendExchange) {
    switch exchange.state {
    case .inFlight: served.abort()
    case .responded(let head, let pipe):
      guard head.status == 101 else {
        fromClient.cancel()
        return served.deliver(head, body: .pipe(pipe, knownLength: pipe.expectedLength))
      }
      guard served.hijack(head, toClient: pipe, fromClient: fromClient) else {
        exchange.cancel()
        pipe.cancel()
        return refuse(502, "this client's connection cannot be handed over")
      }
    case .failed(let error):
      refuse(error.tag.handoffStatus, "the request could not be handed over: \(error.tag)")
    }
  }

  /// Answers the client in the backend's place.
  func refuse(_ status: UInt16, _ text: String) {
    fromClient.cancel()
    let head = ResponseHead(status: status, headers: HeaderList([("content-type", "text/plain; charset=utf-8")]))
    served.deliver(head, body: .bytes(ByteBuffer(string: "fastlike: " + text + "\n")))
  }
}

extension SendError.Tag {
  /// What a client gets whose request could not be handed over: 500 where no connection came about, 502 where it broke.
  fileprivate var handoffStatus: UInt16 {
    switch self {
    case .dnsTimeout, .dnsError, .destinationNotFound, .destinationUnavailable, .destinationIPUnroutable,
      .connectionRefused, .connectionTimeout, .connectionLimitReached, .tlsCertificateError, .tlsConfigurationError,
      .tlsAlertReceived, .tlsProtocolError, .internalError:
      500
    default: 502
    }
  }
}
