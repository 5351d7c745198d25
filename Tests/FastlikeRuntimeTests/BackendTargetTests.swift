import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite struct BackendTargetTests {
  private func backend(prefix: String = "", tls: Bool = false, override: String? = nil) -> BackendDefinition {
    BackendDefinition(
      name: "api", host: "origin.example", port: 8080, usesTLS: tls, pathPrefix: prefix, overrideHost: override)
  }

  private func wire(
    _ uri: String, _ headers: [(String, String)] = [], to backend: BackendDefinition
  ) throws -> RequestHead {
    try BackendTarget.wireHead(for: RequestHead(uri: uri, headers: HeaderList(headers)), to: backend)
  }

  @Test(arguments: [
    ("/a/b?c=d", "", "/a/b?c=d"), ("http://x/a?b", "", "/a?b"), ("http://x", "", "/"), ("http://x?q=/", "", "/?q=/"),
    ("/a", "/v1", "/v1/a"), ("/a", "/v1/", "/v1/a"), ("/", "/v1", "/v1/"), ("https://u:p@x:1/a#f", "/v1", "/v1/a"),
    ("/?a?b", "", "/?a?b"), ("*", "/v1", "*"), ("//a", "", "//a"), ("/a#b", "", "/a"),
  ])
  func theTargetIsInOriginFormBehindThePrefix(uri: String, prefix: String, target: String) throws {
    #expect(try wire(uri, to: backend(prefix: prefix)).uri == target)
  }

  @Test(arguments: [
    "", "a/b", "http:/x", "://x/", "http:///a", "1http://x/", "/a b", "/a\u{1}", "http://x:y/", "http://a<b/",
  ])
  func anUnusableURIIsRefused(uri: String) {
    #expect(throws: SendError(.httpRequestURIInvalid)) { try wire(uri, to: backend()) }
  }

  @Test func theOverrideHostComesBeforeAllOthers() throws {
    let head = try wire("http://uri.example/", [("Host", "guest.example")], to: backend(override: "over.example"))
    #expect(head.headers.first("host") == "over.example")
  }

  @Test func theGuestsHostComesBeforeTheURIs() throws {
    let head = try wire("http://uri.example/", [("a", "b"), ("Host", "guest.example")], to: backend())
    #expect(head.headers.indices(of: "host".utf8) == [0])
    #expect(head.headers.first("host") == "guest.example")
  }

  @Test func theURIsHostComesBeforeTheBackendsWithoutUserInformation() throws {
    #expect(try wire("http://me:secret@uri.example:81/", to: backend()).headers.first("host") == "uri.example:81")
  }

  @Test func theBackendsAddressLeavesOutTheSchemesPort() throws {
    #expect(try wire("/", to: backend()).headers.first("host") == "origin.example:8080")
    var secure = backend(tls: true)
    secure.port = 443
    #expect(try wire("/", to: secure).headers.first("host") == "origin.example")
    secure.host = "::1"
    secure.port = 8443
    #expect(try wire("/", to: secure).headers.first("host") == "[::1]:8443")
  }

  @Test(arguments: ["a b", "a/b", "a@b", "a:b", "a:99999", ":80", "[::1", "[::1]x", "höst"])
  func anUnusableHostIsRefused(host: String) {
    #expect(throws: SendError(.httpRequestURIInvalid)) { try wire("/", [("Host", host)], to: backend()) }
  }

  @Test func theLoopTokenIsAddedToTheGuestsOwn() throws {
    #expect(try wire("/", to: backend()).headers.first("cdn-loop") == "fastlike")
    let head = try wire("/", [("CDN-Loop", "a, b;v=1"), ("x", "y"), ("cdn-loop", "c")], to: backend())
    #expect(head.headers.indices(of: "cdn-loop".utf8).count == 1)
    #expect(head.headers.first("cdn-loop") == "a, b;v=1, c, fastlike")
  }

  @Test func theOtherFieldsKeepTheirOrderAndSpelling() throws {
    let head = try wire("/", [("X-One", "1"), ("host", "h"), ("x-TWO", "2"), ("X-One", "3")], to: backend())
    let names = (0..<head.headers.count).map { String(decoding: head.headers.name(at: $0), as: UTF8.self) }
    #expect(names == ["host", "X-One", "x-TWO", "X-One", "cdn-loop"])
  }
}
