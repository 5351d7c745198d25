import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite("Plain sends that read through the cache") struct ReadThroughTests {
  private let key = HTTPCacheKey(suggestedFor: RequestHead(uri: "http://a/"))

  private func part(
    _ method: String = "GET", _ headers: [(String, String)] = [], override: CacheOverride = CacheOverride(),
    hasBody: Bool = false, mode: ReadThroughMode = .explicit
  ) -> ReadThrough.Part {
    ReadThrough.part(
      of: RequestHead(method: method, headers: HeaderList(headers)), override, hasBody: hasBody, mode: mode)
  }

  private func decision(
    _ headers: [(String, String)], status: UInt16 = 200, request: [(String, String)] = [], ttl: UInt32? = nil,
    swr: UInt32? = nil, mode: ReadThroughMode = .explicit
  ) -> ReadThrough.Decision {
    var override = CacheOverride()
    override.ttl = ttl
    override.staleWhileRevalidate = swr
    return ReadThrough.decide(
      on: ResponseHead(status: status, headers: HeaderList(headers)),
      to: RequestHead(headers: HeaderList(request)), override, key: key, bodyLength: 7, mode: mode, now: 1000)
  }

  private func isStored(_ decision: ReadThrough.Decision) -> Bool {
    if case .store = decision { true } else { false }
  }

  // MARK: Requests

  @Test("RFC 9111 §3: GET is stored, HEAD is answered, others go to the backend")
  func methodsTakeTheirParts() {
    #expect(part() == .stores)
    #expect(part("HEAD") == .reads)
    for method in ["POST", "PUT", "OPTIONS", "PURGE", "get"] { #expect(part(method) == .none) }
  }

  @Test(
    "RFC 9110 §13, §14: a request with a range or conditions brings nothing that can be stored",
    arguments: ["range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"])
  func conditionsOnlyRead(name: String) { #expect(part("GET", [(name, "x")]) == .reads) }

  @Test func aRequestThatPassesHasABodyOrMeetsNoCacheTakesNoPart() {
    #expect(part(override: CacheOverride(.pass, ttl: 0, staleWhileRevalidate: 0, surrogateKeys: "")) == .none)
    #expect(part(hasBody: true) == .none)
    #expect(part(mode: .off) == .none)
  }

  @Test func theKeyCanBeOverriddenByAFieldThatDoesNotGoOn() throws {
    var head = RequestHead(uri: "http://b/", headers: HeaderList([("Fastly-XQD-Cache-Key", key.surrogateKey)]))
    #expect(try ReadThrough.takeKey(of: &head) == key)
    #expect(head.headers.isEmpty)
    head.headers.set(ReadThrough.keyName, "short")
    #expect(throws: SendError(.httpRequestCacheKeyInvalid)) { try ReadThrough.takeKey(of: &head) }
    var plain = RequestHead(uri: "http://b/")
    #expect(try ReadThrough.takeKey(of: &plain) == HTTPCacheKey(suggestedFor: plain))
  }

  // MARK: Responses

  @Test(
    "RFC 9111 §4.2.2: a response that says nothing of freshness is fetched each time, unless all is as on the platform")
  func whatSaysNothingIsNotStored() {
    #expect(!isStored(decision([])))
    guard case .store(let options) = decision([], mode: .platform) else {
      Issue.record("not stored as on the platform")
      return
    }
    #expect(options.maxAge == 120_000_000_000)
    #expect(options.length == 7)
  }

  @Test("RFC 9111 §4.2.1: a response with a lifetime is stored")
  func whatHasALifetimeIsStored() {
    #expect(isStored(decision([("cache-control", "max-age=5")])))
    #expect(isStored(decision([("surrogate-control", "max-age=5")])))
    #expect(isStored(decision([("cache-control", "max-age=0, stale-while-revalidate=5")])))
  }

  @Test("RFC 9111 §5.2.2.4: what has to be asked about each time is fetched each time")
  func whatIsStaleAtOnceIsNotStored() {
    #expect(!isStored(decision([("cache-control", "no-cache"), ("etag", "\"1\"")])))
    #expect(!isStored(decision([("cache-control", "max-age=0")])))
    #expect(!isStored(decision([("cache-control", "max-age=5"), ("age", "5")])))
  }

  @Test("Cache override: a lifetime outweighs what the response says of storing")
  func aLifetimeOfTheGuestOutweighsTheResponse() {
    for control in ["private", "no-store", "no-cache", "max-age=0"] {
      guard case .store(let options) = decision([("cache-control", control)], ttl: 9) else {
        Issue.record("not stored: \(control)")
        continue
      }
      #expect(options.maxAge == 9_000_000_000)
    }
    #expect(isStored(decision([], request: [("authorization", "x")], ttl: 9)))
  }

  @Test("Cache override: cookies, failures and what varies on everything are not stored for all that")
  func someResponsesAreNeverStored() {
    #expect(!isStored(decision([("set-cookie", "a=b")], ttl: 9)))
    #expect(!isStored(decision([("vary", "*")], ttl: 9)))
    #expect(!isStored(decision([], status: 500, ttl: 9)))
    #expect(!isStored(decision([("cache-control", "max-age=5")], ttl: 0)))
  }

  @Test func afterAFailureRequestsSoonWaitForEachOtherAgain() {
    #expect(decision([], status: 503) == .pass(ReadThrough.failureTime))
    #expect(decision([("cache-control", "no-store")]) == .pass(ReadThrough.uncacheableTime))
  }

  @Test func whatIsForCachesIsTakenAwayUnlessACacheAsks() {
    let head = ResponseHead(headers: HeaderList([("surrogate-key", "a"), ("surrogate-control", "max-age=1")]))
    var plain = head
    ReadThrough.finish(&plain, hits: 3, to: RequestHead())
    #expect(plain.headers == HeaderList([("x-cache", "HIT"), ("x-cache-hits", "3")]))
    var debugged = head
    ReadThrough.finish(&debugged, hits: 0, to: RequestHead(headers: HeaderList([("fastly-debug", "1")])))
    #expect(debugged.headers.first("surrogate-key") == "a")
    #expect(debugged.headers.first("x-cache") == "MISS")
  }
}
