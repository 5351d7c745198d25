import NIOCore

/// One connection to an origin, as its script sees it.
struct OriginConnection {
  /// A request that the script answers.
  struct Request {
    /// The request line and the fields as they came, without the empty line.
    var head: String
    var method: String
    var target: String
    /// The part of the path that says what to do, and what is behind it.
    var action: String
    var argument: String
    var query: [String: String]
    var bodyLength: BodyLength
    /// Its place in ``Origin/seen``.
    var index: Int
    /// Counts the connection's requests from 1.
    var number: Int

    func number(_ name: String, default value: Int) -> Int { query[name].flatMap(Int.init) ?? value }
  }

  enum BodyLength {
    case sized(Int)
    case chunked
  }

  let origin: Origin
  /// Counts the origin's connections from 1.
  let number: Int
  /// Trailers of the last request.
  private(set) var trailers = ""
  private let channel: any Channel
  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var buffer = ByteBuffer()
  private var requestCount = 0

  /// The client closed the connection or broke it off.
  struct Gone: Error {}

  init(
    origin: Origin, number: Int, channel: any Channel,
    inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) {
    self.origin = origin
    self.number = number
    self.channel = channel
    self.inbound = inbound
    self.outbound = outbound
  }

  // MARK: Reading

  private mutating func fill() async throws {
    guard var bytes = try await inbound.next() else { throw Gone() }
    buffer.writeBuffer(&bytes)
  }

  private mutating func readLine() async throws -> String {
    while true {
      if let feed = buffer.readableBytesView.firstIndex(of: 0x0A) {
        let line = buffer.readString(length: feed - buffer.readerIndex + 1) ?? ""
        return String(line.unicodeScalars.filter { $0 != "\r" && $0 != "\n" }.map(Character.init))
      }
      try await fill()
    }
  }

  /// The next request's head; nil where the client closes instead.
  mutating func readRequest() async throws -> Request? {
    var lines: [String] = []
    do {
      if buffer.readableBytes == 0 { try await fill() }
      // The greeting of TLS, where no TLS is spoken.
      if buffer.readableBytesView.first == 0x16 {
        try await write("HTTP/1.1 400 Bad Request\r\n\r\n")
        return nil
      }
      while true {
        let line = try await readLine()
        if line.isEmpty { break }
        lines.append(line)
      }
    } catch is Gone where lines.isEmpty {
      return nil
    }
    requestCount += 1
    trailers = ""
    return request(lines)
  }

  private func request(_ lines: [String]) -> Request {
    let words = (lines.first ?? "").split(separator: " ").map(String.init)
    let target = words.count > 1 ? words[1] : "/"
    let path = target.prefix { $0 != "?" }
    var query: [String: String] = [:]
    for pair in target.dropFirst(path.count + 1).split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }
    var segments = path.split(separator: "/").map(String.init)
    if segments.first == "prefix" { segments.removeFirst() }
    var length = BodyLength.sized(0)
    for line in lines.dropFirst() {
      let name = line.prefix { $0 != ":" }.lowercased()
      let value = line.dropFirst(name.count + 1).drop { $0 == " " }
      if name == "content-length" { length = .sized(Int(value) ?? 0) }
      if name == "transfer-encoding" { length = .chunked }
    }
    return Request(
      head: lines.joined(separator: "\r\n"), method: words.first ?? "", target: target, action: segments.first ?? "",
      argument: segments.dropFirst().joined(separator: "/"), query: query, bodyLength: length,
      index: origin.note(lines.joined(separator: "\r\n"), connection: number), number: requestCount)
  }

  /// Reads the body, a chunk or what is there at a time.
  mutating func readBody(
    of request: Request, piece: (inout OriginConnection, String) async throws -> Void = { _, _ in }
  ) async throws {
    do {
      switch request.bodyLength {
      case .sized(var remaining):
        while remaining > 0 {
          if buffer.readableBytes == 0 { try await fill() }
          let text = buffer.readString(length: min(remaining, buffer.readableBytes)) ?? ""
          remaining -= text.utf8.count
          try await piece(&self, text)
        }
      case .chunked:
        while let count = Int(try await readLine(), radix: 16), count > 0 {
          while buffer.readableBytes < count + 2 { try await fill() }
          let text = buffer.readString(length: count) ?? ""
          buffer.moveReaderIndex(forwardBy: 2)
          try await piece(&self, text)
        }
        while true {
          let line = try await readLine()
          if line.isEmpty { break }
          trailers += line + "\r\n"
        }
      }
      origin.noteEnd(request.index, isComplete: true)
    } catch {
      origin.noteEnd(request.index, isComplete: false)
      throw error
    }
  }

  // MARK: Writing

  func write(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

  func write(_ bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

  func writeChunk(_ text: String) async throws {
    try await write("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
  }

  /// A response with a body of known length, which stays away for `HEAD`.
  func answer(
    _ request: Request, _ body: String, status: String = "200 OK", headers: String = ""
  ) async throws {
    try await answer(request, Array(body.utf8), status: status, headers: headers)
  }

  func answer(
    _ request: Request, _ body: [UInt8], status: String = "200 OK", headers: String = ""
  ) async throws {
    let head = "HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(headers)\r\n"
    try await write(Array(head.utf8) + (request.method == "HEAD" ? [] : body))
  }

  /// Sends back what comes, until the client leaves.
  ///
  /// - Parameter once: Only the first piece.
  mutating func echo(once: Bool) async throws {
    repeat {
      if buffer.readableBytes == 0 { try await fill() }
      let piece = buffer.readBytes(length: buffer.readableBytes) ?? []
      try await write(piece)
    } while !once
  }

  /// Has the connection end with RST rather than FIN.
  func endWithReset() async throws { try await channel.endWithReset() }

  /// Waits, with a socket that stays open, until the client leaves or the origin is stopped.
  mutating func waitForClient() async throws {
    while true { try await fill() }
  }
}
