import ComputeABI
import NIOCore
import Testing

@testable import FastlikeRuntime

@Suite struct GuestBodyTests {
  private let waker = Waker()
  private let budget = HostMemoryBudget()

  private func body(_ text: String = "") throws -> GuestBody {
    let body = GuestBody(waker: waker, budget: budget)
    try append(Array(text.utf8), to: body)
    return body
  }

  private func append(_ bytes: [UInt8], to body: GuestBody) throws {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    try body.append(UnsafeRawBufferPointer(memory))
  }

  private func text(_ read: GuestBody.Read) -> String? {
    if case .bytes(let bytes) = read { String(buffer: bytes) } else { nil }
  }

  @Test func `a read gives what is there and then the end`() throws {
    let body = try body("hello")
    #expect(text(try body.read(max: 3)) == "hel")
    #expect(text(try body.read(max: 99)) == "lo")
    guard case .end = try body.read(max: 99) else { return #expect(Bool(false), "no end") }
    #expect(body.hasReachedEnd)
  }

  @Test func `a stream in a body is read as it comes and wakes the guest`() throws {
    var woken = 0
    waker.action = { woken += 1 }
    let pipe = BodyPipe()
    let body = try body("head ")
    body.append(pipe: pipe, from: .backend)
    #expect(text(try body.read(max: 99)) == "head ")
    guard case .pending = try body.read(max: 99) else { return #expect(Bool(false), "not pending") }
    pipe.write(ByteBuffer(string: "tail"))
    #expect(woken == 1)
    #expect(text(try body.read(max: 99)) == "tail")
    pipe.finish(trailers: HeaderList([("x-sum", "1")]))
    guard case .end = try body.read(max: 99) else { return #expect(Bool(false), "no end") }
    #expect(body.trailers.first("x-sum") == "1")
  }

  @Test func `a stream that broke off is found at every read`() throws {
    let pipe = BodyPipe()
    let body = try body()
    body.append(pipe: pipe, from: .backend)
    pipe.fail(.incomplete)
    for _ in 0..<2 { #expect(throws: Status.httpincomplete) { try body.read(max: 9) } }
  }

  @Test func `a body of several parts leaves as one stream`() throws {
    let (first, second) = (try body("one,"), try body())
    let pipe = BodyPipe()
    second.append(pipe: pipe, from: .client)
    first.append(contentsOf: second)
    guard case .pipe(let outgoing, let length) = first.outgoing() else { return #expect(Bool(false), "no stream") }
    #expect(length == nil)
    pipe.write(ByteBuffer(string: "two"))
    pipe.finish()
    var content = ""
    loop: while true {
      switch outgoing.read() {
      case .bytes(let bytes): content += String(buffer: bytes)
      case .end: break loop
      case .pending, .failed: return #expect(Bool(false), "stopped after \(content)")
      }
    }
    #expect(content == "one,two")
  }

  @Test func `a guest cannot make the host hold without end`() throws {
    let body = try body()
    let chunk = [UInt8](repeating: 1, count: 1 << 20)
    #expect(throws: Status.limitexceeded) {
      for _ in 0...128 { try append(chunk, to: body) }
    }
    body.discard()
  }

  @Test func `what leaves a body counts no more`() throws {
    let chunk = [UInt8](repeating: 1, count: 1 << 20)
    for _ in 0..<300 {
      let body = try body()
      try append(chunk, to: body)
      _ = try body.read(max: .max)
    }
  }

  @Test func `gzip is decoded whatever the pieces`() throws {
    // printf 'hello, edge' | gzip -n
    let packed: [UInt8] = [
      0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0x48, 0x4d, 0x49, 0x4f, 0x05,
      0x00, 0xde, 0x14, 0x5e, 0x13, 0x0b, 0x00, 0x00, 0x00,
    ]
    let pipe = BodyPipe()
    let decoded = pipe.gunzipped()
    var content = ""
    for byte in packed {
      pipe.write(ByteBuffer(bytes: [byte]))
      if case .bytes(let bytes) = decoded.read() { content += String(buffer: bytes) }
    }
    pipe.finish()
    #expect(content == "hello, edge")
  }

  @Test func `a gzip body that ends early is corrupt`() {
    let pipe = BodyPipe()
    let decoded = pipe.gunzipped()
    pipe.write(ByteBuffer(bytes: [0x1f, 0x8b, 0x08, 0]))
    pipe.finish()
    guard case .failed(.corruptEncoding) = decoded.read() else { return #expect(Bool(false), "not corrupt") }
  }
}

@Suite struct BodyPipeTests {
  @Test func `what is written while a reader takes bytes does not overtake them`() {
    let pipe = BodyPipe(capacity: 4)
    var order: [String] = []
    func drain() {
      while true {
        switch pipe.read() {
        case .bytes(let bytes): order.append(String(buffer: bytes))
        case .end: return order.append("end")
        case .pending, .failed: return
        }
      }
    }
    pipe.onWritable = { pipe.finish() }
    pipe.write(ByteBuffer(string: "all of it"))
    pipe.onReadable = drain
    drain()
    #expect(order == ["all of it", "end"])
  }

  @Test func `a full pipe tells its writer once there is room`() {
    let pipe = BodyPipe(capacity: 4)
    var told = 0
    pipe.onWritable = { told += 1 }
    pipe.write(ByteBuffer(string: "12345678"))
    #expect(!pipe.isWritable)
    _ = pipe.read(max: 2)
    #expect(told == 0)
    _ = pipe.read(max: 3)
    #expect(told == 1)
  }

  @Test func `a reader that goes drops what is there and tells the writer`() {
    let pipe = BodyPipe()
    var isCancelled = false
    pipe.onCancel = { isCancelled = true }
    pipe.write(ByteBuffer(string: "unread"))
    pipe.cancel()
    #expect(isCancelled && pipe.bufferedBytes == 0)
  }
}
