import ComputeABI
import FastlikeProfile
import NIOCore

/// One client's request while it is served: the way back to its client and its trace.
///
/// A sandbox serves one request, or several one after the other (``RequestPromise``); what belongs to a request and not to
/// the guest is here. It is over when the guest has parted with it and the client has its response, whichever comes last.
/// Confined to its event loop.
final class ServedRequest {
  /// What became of the client's response.
  enum ResponseState {
    case awaited
    case sent
  }

  let request: DownstreamRequest
  /// Unique in the process; its trace has it too.
  let number: UInt64
  let trace: TraceRecorder?
  /// The same, for what is done for each request: a reference that need not be counted.
  let recording: Unmanaged<TraceRecorder>?
  /// The same where deep metrics are recorded, else nil.
  let deepTrace: TraceRecorder?
  var responseState = ResponseState.awaited
  /// Called when the client goes away before its response is complete.
  var onClosed: (() -> Void)?
  /// Called when the client goes away and nobody else would end what is being done for it.
  var onAbandoned: (() -> Void)?
  private let responder: any DownstreamResponder
  private let service: Service
  private let eventLoop: any EventLoop
  /// That of the response which was delivered; 0 where there is none.
  private var status = 0
  private var memoryBytes = 0
  /// Whether the guest has parted with it.
  private(set) var isReleased = false
  private var isDelivered = false
  private var isFinished = false

  init(
    _ request: DownstreamRequest, responder: any DownstreamResponder, number: UInt64, trace: TraceRecorder?,
    service: Service, eventLoop: any EventLoop
  ) {
    self.request = request
    self.responder = responder
    self.number = number
    self.trace = trace
    recording = trace.map { Unmanaged.passUnretained($0) }
    deepTrace = trace?.isDeep == true ? trace : nil
    self.service = service
    self.eventLoop = eventLoop
    responder.onClosed = { [weak self] in self?.clientLeft() }
    // The responder keeps the request until the response is out, also where its guest has long gone.
    responder.onDelivered = { [self] delivery in delivered(delivery) }
  }

  /// The number in 32 hexadecimal digits, for logs and for the guest.
  var id: String { Self.id(of: number) }

  /// A request's number in 32 hexadecimal digits.
  static func id(of number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  // MARK: Response

  /// Sends the final response. What is counted of it comes with the delivery.
  func deliver(_ head: ResponseHead, framing: FramingMode = .automatic, closeAfter: Bool = false, body: OutgoingBody) {
    responseState = .sent
    status = Int(head.status)
    deepTrace?.recordHeaders(.response, of: head.headers)
    responder.send(head, framing: framing, closeAfter: closeAfter, body: body)
  }

  /// Joins the client's connection to a backend's behind a 101. Returns false where the client's cannot be handed over.
  func hijack(_ head: ResponseHead, toClient: BodyPipe, fromClient: BodyPipe) -> Bool {
    guard responder.hijack(head, toClient: toClient, fromClient: fromClient) else { return false }
    trace?.responseHead(status: Int(head.status))
    trace?.responseHijacked()
    return true
  }

  func sendInformational(_ head: ResponseHead) { responder.sendInformational(head) }

  /// The client gets no response, or no more of it.
  func abort() { responder.abort() }

  private func clientLeft() {
    trace?.setOutcome(.contextCanceled)
    onClosed?()
    onAbandoned?()
  }

  private func delivered(_ delivery: DownstreamDelivery) {
    guard !isDelivered else { return }
    isDelivered = true
    onAbandoned = nil
    recording?._withUnsafeGuaranteedRef { trace in
      // Where no head has left, the client was sent nothing.
      if let flushed = delivery.headFlushedAt {
        let status = status == 0 ? trace.responseObservation.status : status
        trace.setResponse(status: status, bytes: Int64(delivery.bodyBytes), headerFlushed: flushed)
      }
      if delivery.isAborted { trace.setOutcome(.contextCanceled) }
    }
    if isReleased { finish() }
  }

  // MARK: The end

  /// The guest has ended, or goes on to another request.
  ///
  /// - Parameter memoryBytes: The size of its memory, for the log.
  func release(memoryBytes: Int) {
    guard !isReleased else { return }
    isReleased = true
    onClosed = nil
    self.memoryBytes = memoryBytes
    if isDelivered {
      finish()
    } else if let trace {
      // What is left is the way to the client, and what the response still waits for.
      trace.suspend(cause: trace.awaitedBackendCalls > 0 ? .backend : .client)
    }
  }

  private func finish() {
    guard !isFinished else { return }
    isFinished = true
    responder.onClosed = nil
    responder.onDelivered = nil
    guard let recording else { return service.logEnd(of: self, memoryBytes: memoryBytes) }
    recording._withUnsafeGuaranteedRef { trace in
      trace.end()
      if trace.awaitedBackendCalls > 0, service.asyncGrace > .zero {
        // Calls that are still running may complete their entries; the client is long served.
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        _ = eventLoop.scheduleTask(in: TimeAmount(service.asyncGrace)) { bound.value.close() }
      } else {
        close()
      }
    }
  }

  private func close() {
    recording?._withUnsafeGuaranteedRef { $0.close() }
    service.logEnd(of: self, memoryBytes: memoryBytes)
  }
}
