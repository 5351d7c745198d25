import ComputeABI
import NIOCore
import Testing

@testable import FastlikeRuntime

@Suite struct HandoffTargetTests {
  private let client = RequestHead(
    uri: "/chat?x", headers: HeaderList([("Host", "edge.example"), ("Upgrade", "websocket"), ("X-Client", "1")]))
  private let backend = BackendDefinition(
    name: "b", host: "b.example", port: 8080, usesTLS: false, pathPrefix: "/app")

  @Test func theHostIsTheBackends() throws {
    let head = try HandoffTarget.websocket(client, to: backend)
    #expect(head.uri == "/app/chat?x")
    #expect(head.headers.first("host") == "b.example:8080")
    var other = backend
    other.overrideHost = "other.example"
    #expect(try HandoffTarget.websocket(client, to: other).headers.first("host") == "other.example")
  }

  @Test func protectedFieldsStayTheClients() {
    let guest = RequestHead(
      method: "POST", uri: "http://g.example/other",
      headers: HeaderList([("X-Guest", "1"), ("UPGRADE", "h2c"), ("te", "x"), ("host", "g.example")]))
    let merged = HandoffTarget.merged(client, with: guest)
    #expect(merged.method == "POST" && merged.uri == "http://g.example/other")
    #expect(merged.headers == HeaderList([("Host", "edge.example"), ("Upgrade", "websocket"), ("X-Guest", "1")]))
  }

  @Test func theProxyIsToldTheRoute() throws {
    let proxy = HandoffTarget.gripProxy(port: 7677)
    let head = try HandoffTarget.grip(client, route: "b", proxy: proxy)
    #expect(head.uri == "/chat?x")
    #expect(head.headers.first("pushpin-route") == "b")
    #expect(head.headers.first("host") == "127.0.0.1:7677")
  }

  @Test func onlyAClientThatAsksForASwitchAsksTheBackend() {
    var headers = HeaderList()
    HandoffTarget.restoreUpgrade(of: client.headers, in: &headers)
    #expect(headers.isEmpty)
    let asking = HeaderList([("Connection", "keep-alive, UPGRADE"), ("Upgrade", "websocket")])
    HandoffTarget.restoreUpgrade(of: asking, in: &headers)
    #expect(headers == HeaderList([("connection", "Upgrade"), ("upgrade", "websocket")]))
  }

  @Test func behindA101TheConnectionIsTheBody() throws {
    var parser = ResponseParser(method: "GET", acceptsUpgrade: true)
    parser.append(ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes"))
    guard case .head(let head, nil)? = try parser.next() else {
      Issue.record("no head")
      return
    }
    #expect(head.status == 101 && !parser.persists)
    guard case .body(let bytes)? = try parser.next() else {
      Issue.record("no bytes")
      return
    }
    #expect(String(buffer: bytes) == "bytes")
    var strict = ResponseParser(method: "GET")
    strict.append(ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\r\n"))
    #expect(throws: ResponseParser.Failure.upgrade) { _ = try strict.next() }
  }

  @Test func theProxysPortComesFromTheManifest() throws {
    func port(_ lines: String) throws -> UInt16? {
      try FastlyManifest.parse(
        "[local_server.pushpin]\n" + lines, name: "fastly.toml",
        files: ConfigurationFiles(directory: "/", workingDirectory: "/"), environment: [:]
      ).pushpinPort
    }
    #expect(try port("enable = true") == 7677)
    #expect(try port("enable = true\nproxy_port = 1234\npublish_port = 1") == 1234)
    #expect(try port("enable = false\nproxy_port = 1234") == nil)
    #expect(throws: ConfigurationError.self) { try port("proxy_port = 70000") }
    #expect(try FlagValues.port("7677", flag: "--x") == 7677)
    for value in ["0", "65536", "x", ""] {
      #expect(throws: ConfigurationError.self) { try FlagValues.port(value, flag: "--x") }
    }
  }
}
