import CTimestamp
import NIOCore

extension BackendConnection {
  /// Bytes of a streamed body that are taken at once.
  private static let pieceSize = 64 * 1024

  func writeRequest(of call: BackendCall) {
    contentRemaining = if case .contentLength(let length) = call.framing { length } else { nil }
    call.exchange.phases.requestSent = nil
    call.exchange.phases.requestHeadBytes = call.head.readableBytes
    call.exchange.phases.requestBodyBytes = 0
    let hasBody = call.framing == .chunked || (contentRemaining ?? 0) > 0
    write(call.head, isLast: !hasBody, of: call)
    guard hasBody else { return flush() }
    switch call.body {
    case .pipe(let pipe, _):
      pipe.onReadable = { [weak self] in self?.pumpRequestBody() }
      // This also flushes the head where the guest writes its body much later.
      pumpRequestBody()
    case .bytes(let buffer):
      writeBody(buffer, of: call)
      finishRequestBody(trailers: nil, of: call)
      flush()
    case .empty:
      finishRequestBody(trailers: nil, of: call)
      flush()
    }
  }

  /// Moves bytes from the body's pipe to the socket until one of them has to wait.
  func pumpRequestBody() {
    // Reading from the pipe may make its writer write, which calls this function again.
    guard let call, case .pipe(let pipe, _) = call.body, call.framing != .none, !isPumping else { return }
    isPumping = true
    defer { isPumping = false }
    loop: while self.call === call, channel.isWritable {
      switch pipe.read(max: Self.pieceSize) {
      case .bytes(let buffer):
        call.isBodyIntact = false
        guard self.call === call else { break loop }
        writeBody(buffer, of: call)
      case .pending: break loop
      case .end(let trailers):
        pipe.onReadable = nil
        finishRequestBody(trailers: trailers, of: call)
        break loop
      case .failed:
        pipe.onReadable = nil
        flush()
        if !state.isRequestSent { interrupt(.requestBodyBroken) }
        break loop
      }
    }
    flush()
  }

  /// Writes a piece of the body; what exceeds the announced length is dropped, so that it cannot be taken for a request.
  private func writeBody(_ buffer: ByteBuffer, of call: BackendCall) {
    var buffer = buffer
    guard let remaining = contentRemaining else {
      call.exchange.phases.requestBodyBytes += buffer.readableBytes
      guard buffer.readableBytes > 0 else { return }
      write(RequestEncoder.chunkStart(length: buffer.readableBytes), isLast: false, of: call)
      write(buffer, isLast: false, of: call)
      write(RequestEncoder.chunkEnd, isLast: false, of: call)
      return
    }
    if buffer.readableBytes > remaining { buffer.moveWriterIndex(to: buffer.readerIndex + remaining) }
    guard buffer.readableBytes > 0 else { return }
    call.exchange.phases.requestBodyBytes += buffer.readableBytes
    contentRemaining = remaining - buffer.readableBytes
    write(buffer, isLast: contentRemaining == 0, of: call)
  }

  /// Moves the client's bytes to a backend that has switched protocols.
  func pumpTunnel() {
    guard isTunnel, !isPumping, let context, let call, let tunnel = call.tunnel else { return }
    isPumping = true
    defer { isPumping = false }
    var hasEnded = false
    loop: while self.call === call, channel.isWritable {
      switch tunnel.read(max: Self.pieceSize) {
      case .bytes(let buffer):
        call.exchange.phases.requestBodyBytes += buffer.readableBytes
        context.write(wrapOutboundOut(buffer), promise: nil)
      case .pending: break loop
      case .end, .failed:
        hasEnded = true
        break loop
      }
    }
    flush()
    if hasEnded { tunnelEnded() }
  }

  private func finishRequestBody(trailers: HeaderList?, of call: BackendCall) {
    if let contentRemaining {
      if contentRemaining > 0 { interrupt(.requestBodyBroken) }
      return
    }
    do {
      write(try RequestEncoder.lastChunk(trailers: trailers), isLast: true, of: call)
    } catch {
      interrupt(.requestBodyBroken)
    }
  }

  private func write(_ buffer: ByteBuffer, isLast: Bool, of call: BackendCall) {
    guard let context else { return }
    guard isLast else { return context.write(wrapOutboundOut(buffer), promise: nil) }
    state.requestSent()
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenSuccess {
      call.exchange.phases.requestSent = ctimestamp_monotonic()
    }
    context.write(wrapOutboundOut(buffer), promise: written)
  }

  private func flush() { context?.flush() }
}
