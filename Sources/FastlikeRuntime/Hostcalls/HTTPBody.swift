import ComputeABI
import FastlikeProfile
import NIOCore

/// `fastly_http_body`.
extension Sandbox {
  func httpBodyNew() throws(Status) -> BodyHandle {
    BodyHandle(rawValue: try insert(.body(GuestBody(waker: waker, budget: budget))))
  }

  func httpBodyAppend(dest: BodyHandle, src: BodyHandle) throws(Status) -> Blocking<Void> {
    guard dest != src else { throw .badf }
    switch items[dest.rawValue] {
    case .body(let target):
      target.append(contentsOf: try takePlainBody(src))
      return .ready(())
    case .streaming(let target):
      let source = try takePlainBody(src)
      if target.isBroken {
        source.discard()
        throw target.brokenStatus
      }
      target.move(source)
      return try .waiting(for: target.waitCause) { () throws(Status) in target.isWritable ? () : nil }
    default: throw .badf
    }
  }

  func httpBodyRead(handle: BodyHandle, buf: GuestOutput) throws(Status) -> Blocking<Void> {
    let body = try plainBody(handle)
    if buf.capacity == 0 {
      buf.setCount(0)
      return .ready(())
    }
    return try .waiting(for: body.waitCause) { () throws(Status) in
      switch try body.read(max: buf.capacity) {
      case .pending: return nil
      case .end: buf.setCount(0)
      case .bytes(let bytes):
        buf.buffer.raw.copyBytes(from: bytes.readableBytesView)
        buf.setCount(bytes.readableBytes)
        self.deepTrace?.updateDeep { $0.bodyReadBytes += Int64(bytes.readableBytes) }
      }
      return ()
    }
  }

  func httpBodyWrite(handle: BodyHandle, buf: GuestBytes, end: BodyWriteEnd) throws(Status) -> Blocking<UInt32> {
    let count = UInt32(buf.count)
    deepTrace?.updateDeep { $0.bodyWriteBytes += Int64(count) }
    switch (items[handle.rawValue], end) {
    case (.body(let body), .back):
      try body.append(buf.raw)
      return .ready(count)
    case (.body(let body), .front):
      try body.prepend(buf.raw)
      return .ready(count)
    case (.streaming(let body), .back):
      return try .waiting(for: body.waitCause) { () throws(Status) in
        if body.isBroken { throw body.brokenStatus }
        guard body.isWritable else { return nil }
        try body.write(buf.raw)
        return count
      }
    default: throw .badf
    }
  }

  func httpBodyClose(handle: BodyHandle) throws(Status) {
    switch items[handle.rawValue] {
    case .body(let body): body.discard()
    case .streaming(let body): body.finish()
    default: throw .badf
    }
    _ = items.remove(handle.rawValue)
  }

  func httpBodyAbandon(handle: BodyHandle) throws(Status) {
    switch items[handle.rawValue] {
    case .body(let body): body.discard()
    case .streaming(let body): body.abandon()
    default: throw .badf
    }
    _ = items.remove(handle.rawValue)
  }

  func httpBodyKnownLength(handle: BodyHandle) throws(Status) -> UInt64 {
    switch items[handle.rawValue] {
    case .body(let body):
      guard let length = body.knownLength else { throw .none }
      return UInt64(length)
    case .streaming: throw .none
    default: throw .badf
    }
  }

  // MARK: Trailers

  func httpBodyTrailerAppend(handle: BodyHandle, name: GuestBytes, value: GuestBytes) throws(Status) {
    switch items[handle.rawValue] {
    case .body(let body): try HeaderRules.append(name, value, in: &body.trailers)
    case .streaming(let body): try HeaderRules.append(name, value, in: &body.trailers)
    default: throw .badf
    }
  }

  /// The trailers of a body that was read to its end; `again` before.
  private func trailers(_ handle: BodyHandle) throws(Status) -> HeaderList {
    if case .streaming = items[handle.rawValue] { throw .inval }
    let body = try plainBody(handle)
    guard body.hasReachedEnd else { throw .again }
    return body.trailers
  }

  func httpBodyTrailerNamesGet(handle: BodyHandle, buf: GuestItemOutput) throws(Status) {
    try HeaderRules.writeNames(of: try trailers(handle), to: buf)
  }

  func httpBodyTrailerValueGet(handle: BodyHandle, name: GuestBytes, value: GuestOutput) throws(Status) {
    try HeaderRules.writeValue(of: name, in: try trailers(handle), to: value)
  }

  func httpBodyTrailerValuesGet(handle: BodyHandle, name: GuestBytes, buf: GuestItemOutput) throws(Status) {
    try HeaderRules.writeValues(of: name, in: try trailers(handle), to: buf)
  }
}
