import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import FastlikeRuntime

/// Reading a stored body while it is written.
@Suite struct CachedBodyTests {
  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  private func body(promising length: Int? = nil) -> CachedBody {
    CachedBody(promisedLength: length, budget: CacheBudget(limit: 1 << 30))
  }

  private func append(_ text: String, to body: CachedBody) { _ = body.append(ByteBuffer(string: text)) { _ in true } }

  /// A reader on an event loop.
  private struct Reader {
    let pipe: NIOLoopBound<BodyPipe>
    let loop: any EventLoop

    func on<Value: Sendable>(_ action: @escaping @Sendable (BodyPipe) -> Value) async throws -> Value {
      try await loop.submit { [pipe] in action(pipe.value) }.get()
    }

    /// What can be read now, and how it goes on: `ab…` for more to come, `ab.` for the end, `ab!` for a failure. What the
    /// body has told its readers before has reached the loop before.
    func drain() async throws -> String {
      try await on { pipe in
        var text = ""
        while true {
          switch pipe.read() {
          case .bytes(let bytes): text += String(buffer: bytes)
          case .pending: return text + "…"
          case .end: return text + "."
          case .failed: return text + "!"
          }
        }
      }
    }
  }

  private func reader(_ body: CachedBody, _ span: CachedBodySpan = .whole) async throws -> Reader {
    let pipe = try await loop.submit { [loop] in
      NIOLoopBound(CachedBodyReader.pipe(body, span, on: loop), eventLoop: loop)
    }.get()
    return Reader(pipe: pipe, loop: loop)
  }

  @Test func `a reader gets bytes as they are written`() async throws {
    let body = body()
    let reader = try await reader(body)
    #expect(try await reader.drain() == "…")
    append("one", to: body)
    #expect(try await reader.drain() == "one…")
    append("two", to: body)
    body.finish()
    #expect(try await reader.drain() == "two.")
  }

  @Test func `a later reader begins at the start`() async throws {
    let body = body()
    append("one", to: body)
    #expect(try await reader(body).drain() == "one…")
    append("two", to: body)
    #expect(try await reader(body).drain() == "onetwo…")
  }

  @Test func `readers of one body do not take from each other`() async throws {
    let body = body()
    append("text", to: body)
    body.finish()
    let (first, second) = (try await reader(body), try await reader(body))
    #expect(try await first.drain() == "text.")
    #expect(try await second.drain() == "text.")
  }

  @Test func `a body that breaks off fails behind what was written`() async throws {
    let body = body()
    append("half", to: body)
    body.fail(.unfinished)
    #expect(try await reader(body).drain() == "half!")
  }

  @Test(arguments: ["abcd", "abcdef"])
  func `a length other than the promised one is a failure at the end`(text: String) async throws {
    let body = body(promising: 5)
    append(text, to: body)
    #expect(!body.finish())
    #expect(try await reader(body).drain() == text.prefix(5) + "!")
  }

  @Test func `trailers come with the end`() async throws {
    let body = body()
    body.finish(trailers: HeaderList([("t", "v")]))
    let value = try await reader(body).on { (pipe) -> String? in
      if case .end(let trailers) = pipe.read() { trailers?.first("t") } else { nil }
    }
    #expect(value == "v")
  }

  @Test func `a part is read from any place, also over chunks`() async throws {
    let body = body()
    for letter in ["a", "b", "c"] { append(String(repeating: letter, count: 20_000), to: body) }
    body.finish()
    let span = CachedBodySpan(start: .offset(19_999), end: 40_001)
    let reader = try await reader(body, span)
    #expect(try await reader.on { $0.expectedLength } == 20_002)
    #expect(try await reader.drain() == "a" + String(repeating: "b", count: 20_000) + "c.")
  }

  @Test func `a part that is not written yet is waited for`() async throws {
    let body = body()
    let reader = try await reader(body, CachedBodySpan(start: .offset(4), end: 7))
    append("01", to: body)
    #expect(try await reader.drain() == "…")
    append("23", to: body)
    append("456789", to: body)
    #expect(try await reader.drain() == "456.")
  }

  @Test func `a part that the body does not reach is a failure`() async throws {
    let body = body()
    append("0123", to: body)
    body.finish()
    #expect(try await reader(body, CachedBodySpan(start: .offset(2), end: 7)).drain() == "23!")
    #expect(try await reader(body, CachedBodySpan(start: .offset(7), end: nil)).drain() == "!")
  }

  @Test func `the last bytes wait for the end`() async throws {
    let body = body()
    let reader = try await reader(body, CachedBodySpan(start: .beforeEnd(3), end: nil))
    append("0123", to: body)
    #expect(try await reader.drain() == "…")
    append("456", to: body)
    body.finish()
    #expect(try await reader.drain() == "456.")
  }

  @Test func `a slow reader holds no more than its pipe`() async throws {
    let body = body()
    for _ in 0..<40 { append(String(repeating: "a", count: 16 << 10), to: body) }
    body.finish()
    let reader = try await reader(body)
    #expect(try await reader.on { $0.bufferedBytes } == 64 << 10)
    #expect(try await reader.drain().utf8.count == 40 * (16 << 10) + 1)
  }

  @Test func `a reader that goes is not called any more`() async throws {
    let body = body()
    let reader = try await reader(body)
    try await reader.on { $0.cancel() }
    append("text", to: body)
    #expect(try await reader.on { $0.bufferedBytes } == 0)
  }

  @Test func `a body without room breaks off`() async throws {
    let body = body()
    let isWritten = body.append(ByteBuffer(string: "x")) { _ in false }
    #expect(!isWritten)
    #expect(body.hasFailed)
  }
}
