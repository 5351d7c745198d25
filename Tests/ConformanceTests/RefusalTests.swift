import Testing

/// Requests that the edge refuses before any guest sees them.
@Suite("Conformance: refused requests", .timeLimit(.minutes(5)))
struct RefusalTests {
  /// A request, and the status of its refusal.
  struct Refused: Sendable, CustomTestStringConvertible {
    var name: String
    var request: String
    var status: Int

    init(_ status: Int, _ name: String, _ request: String) {
      self.name = name
      self.request = request
      self.status = status
    }

    var testDescription: String { name }
  }

  private static let host = "Host: e\r\n"

  static let heads = [
    Refused(400, "no host", "GET / HTTP/1.1\r\n\r\n"),
    Refused(400, "two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    Refused(400, "a host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    Refused(400, "a space before the colon", "GET / HTTP/1.1\r\n\(host)X : 1\r\n\r\n"),
    Refused(400, "a folded field", "GET / HTTP/1.1\r\n\(host)X: 1\r\n 2\r\n\r\n"),
    Refused(400, "bare line feeds", "GET / HTTP/1.1\nHost: e\n\n"),
    Refused(400, "a NUL in a value", "GET / HTTP/1.1\r\n\(host)X: a\u{0}b\r\n\r\n"),
    Refused(400, "a bare carriage return", "GET / HTTP/1.1\r\n\(host)X: a\rb\r\n\r\n"),
    Refused(400, "a field without colon", "GET / HTTP/1.1\r\n\(host)nonsense\r\n\r\n"),
    Refused(400, "a field without name", "GET / HTTP/1.1\r\n\(host): 1\r\n\r\n"),
    Refused(400, "no version", "GET /\r\n\r\n"),
    Refused(400, "two spaces", "GET  / HTTP/1.1\r\n\(host)\r\n"),
    Refused(400, "a method that is no token", "GE(T / HTTP/1.1\r\n\(host)\r\n"),
    Refused(400, "a target that is no path", "GET path HTTP/1.1\r\n\(host)\r\n"),
    Refused(400, "an asterisk for another method", "GET * HTTP/1.1\r\n\(host)\r\n"),
    Refused(400, "the greeting of TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}"),
    Refused(501, "CONNECT", "CONNECT e:443 HTTP/1.1\r\nHost: e:443\r\n\r\n"),
  ]

  /// Requests of which two parties might see different ends.
  static let smuggling = [
    Refused(400, "a length beside chunks", "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\n\(chunked)\r\n0\r\n\r\n"),
    Refused(400, "chunks beside a length", "POST / HTTP/1.1\r\n\(host)\(chunked)Content-Length: 3\r\n\r\n0\r\n\r\n"),
    Refused(400, "two lengths", "POST / HTTP/1.1\r\n\(host)Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    Refused(400, "a list of lengths", "POST / HTTP/1.1\r\n\(host)Content-Length: 3, 3\r\n\r\nabc"),
    Refused(400, "a negative length", "POST / HTTP/1.1\r\n\(host)Content-Length: -3\r\n\r\n"),
    Refused(400, "a length with a sign", "POST / HTTP/1.1\r\n\(host)Content-Length: +3\r\n\r\nabc"),
    Refused(400, "a hexadecimal length", "POST / HTTP/1.1\r\n\(host)Content-Length: 0x3\r\n\r\nabc"),
    Refused(400, "an enormous length", "POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n"),
    Refused(400, "chunks twice", "POST / HTTP/1.1\r\n\(host)\(chunked)\(chunked)\r\n0\r\n\r\n"),
    Refused(400, "chunks in HTTP/1.0", "POST / HTTP/1.0\r\n\(host)\(chunked)\r\n0\r\n\r\n"),
    Refused(501, "another coding", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n"),
    Refused(501, "several codings", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    Refused(501, "nearly chunked", "POST / HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
  ]
  private static let chunked = "Transfer-Encoding: chunked\r\n"

  static let tooLarge = [
    Refused(414, "a long target", "GET /\(String(repeating: "a", count: 17_000)) HTTP/1.1\r\n\(host)\r\n"),
    Refused(431, "a large field", "GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "v", count: 90_000))\r\n\r\n"),
    Refused(431, "many fields", "GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: 1\r\n", count: 300))\r\n"),
    Refused(431, "a field without end", "GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "v", count: 90_000))"),
  ]

  @Test(arguments: heads + smuggling + tooLarge)
  func theClientIsToldInOneLineAndTheConnectionCloses(_ refused: Refused) async throws {
    let client = try await SharedEdges.edge("hello").connect()
    let reply = try await client.exchange(refused.request)
    #expect(reply.status == refused.status)
    #expect(reply["connection"] == "close")
    #expect(reply["content-type"] == "text/plain; charset=utf-8")
    #expect(reply.text.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    _ = try await client.readEnd()
  }

  @Test(arguments: smuggling)
  func nothingBehindAnAmbiguousRequestIsServed(_ refused: Refused) async throws {
    let client = try await SharedEdges.edge("hello").connect()
    try await client.send(refused.request + "GET / HTTP/1.1\r\nHost: e\r\n\r\n")
    #expect(try await client.readReply().status == refused.status)
    // The end comes right behind it: `readEnd` throws where there is a second response.
    _ = try await client.readEnd()
  }

  /// Bodies whose chunks two parties might read differently (RFC 9112 §7.1), each with a request behind it that only one
  /// of the readings has.
  @Test(arguments: [
    "0x3\r\nabc\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "3 3\r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n",
    "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3;a=\n\r\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n",
    "10000000000000003\r\nabc\r\n0\r\n\r\n", "\r\n0\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n folded: y\r\n\r\n",
    "-1\r\nabc\r\n0\r\n\r\n",
  ])
  func nothingBehindAMalformedChunkIsServed(body: String) async throws {
    let client = try await SharedEdges.edge("bodies").connect()
    try await client.send(
      "POST /ends HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
        + "GET /pattern?bytes=16 HTTP/1.1\r\nHost: e\r\n\r\n")
    // The guest does not look at the body and answers; nothing comes behind that.
    _ = try? await client.readReply()
    _ = try await client.readEnd()
  }

  @Test(arguments: [
    ("CDN-Loop: " + Array(repeating: "fastlike", count: 20).joined(separator: ","), 508), ("Content-Length: x", 400),
  ])
  func aRefusalToHEADHasNoBody(_ field: String, status: Int) async throws {
    let client = try await SharedEdges.edge("hello").connect()
    try await client.send("HEAD / HTTP/1.1\r\nHost: e\r\n\(field)\r\n\r\n")
    #expect(try await client.readReply(to: "HEAD").status == status)
    _ = try await client.readEnd()
  }

  @Test func theEdgeGoesOnServingAfterwards() async throws {
    let edge = try await SharedEdges.edge("hello")
    for refused in Self.heads {
      let client = try await edge.connect()
      _ = try await client.exchange(refused.request)
      await client.close()
    }
    #expect(try await edge.get("/").text == "Hello from the edge\n")
  }
}
