import Testing

@testable import FastlikeRuntime

@Suite("Freshness of HTTP responses (RFC 9111 §4.2)") struct HTTPFreshnessTests {
  private let now: Int64 = 1_782_950_400

  private func freshness(_ pairs: [(String, String)]) -> HTTPFreshness {
    HTTPFreshness(of: HeaderList(pairs), now: now)
  }

  private func lifetime(_ control: String) -> Int64 { freshness([("cache-control", control)]).lifetime }

  // MARK: Lifetime

  @Test("RFC 9111 §4.2.1: s-maxage wins over max-age, wherever it stands")
  func sharedMaxAgeWinsOverMaxAge() {
    #expect(lifetime("max-age=1, s-maxage=2") == 2)
    #expect(lifetime("s-maxage=2, max-age=1") == 2)
  }

  @Test("RFC 9111 §4.2.1: max-age wins over Expires")
  func maxAgeWinsOverExpires() {
    let found = freshness([("expires", HTTPDate.text(now + 100)), ("cache-control", "max-age=5")])
    #expect(found.lifetime == 5)
    #expect(found.source == .maxAge)
  }

  @Test("RFC 9111 §4.2.1: without max-age it is Expires minus Date")
  func expiresCountsFromDate() {
    let found = freshness([("Expires", HTTPDate.text(now + 100)), ("Date", HTTPDate.text(now - 20))])
    #expect(found.lifetime == 120)
    #expect(found.source == .expires)
  }

  @Test("RFC 9111 §5.3: Expires without Date counts from the time of receipt")
  func expiresWithoutDateCountsFromNow() { #expect(freshness([("expires", HTTPDate.text(now + 7))]).lifetime == 7) }

  @Test("RFC 9111 §5.3: a date in the past and one that is none have expired", arguments: ["0", "never", ""])
  func anInvalidExpiresHasExpired(text: String) {
    let found = freshness([("expires", text)])
    #expect(found.lifetime == 0)
    #expect(found.isExplicit)
    #expect(freshness([("expires", HTTPDate.text(now - 1))]).lifetime == 0)
  }

  @Test("RFC 9111 §4.2.1: the first of two directives counts, over all fields")
  func theFirstOfTwoDirectivesCounts() {
    #expect(lifetime("max-age=3, max-age=9") == 3)
    #expect(freshness([("cache-control", "max-age=3"), ("Cache-Control", "max-age=9")]).lifetime == 3)
  }

  @Test(
    "RFC 9111 §4.2.1: a lifetime that is no number makes the response stale", arguments: ["x", "-1", "1.5", "", "5x"])
  func anInvalidLifetimeIsNone(argument: String) { #expect(lifetime("max-age=\(argument)") == 0) }

  @Test("RFC 9111 §1.2.2: a number that is too large is the largest one")
  func anOverflowingLifetimeIsTheLargest() { #expect(lifetime("max-age=99999999999999999999999") == 1 << 31) }

  @Test("RFC 9111 §5.2: names know no case, and arguments may be quoted")
  func namesKnowNoCaseAndArgumentsMayBeQuoted() { #expect(lifetime("Public, Max-Age=\"60\"") == 60) }

  @Test("RFC 9111 §5.2: a comma in a quoted string does not end a directive")
  func aQuotedCommaDoesNotEndADirective() {
    #expect(lifetime("no-cache=\"set-cookie, max-age=9\", max-age=4") == 4)
    #expect(lifetime("ext=\"a\\\",b\", max-age=4") == 4)
  }

  @Test("RFC 9111 §4.2.2: without explicit freshness the platform's default holds, and it is known that it does")
  func withoutExplicitFreshnessTheDefaultHolds() {
    let found = freshness([("last-modified", HTTPDate.text(now - 1000)), ("cache-control", "public")])
    #expect(found.lifetime == 3600)
    #expect(!found.isExplicit)
  }

  @Test("Platform: Surrogate-Control wins over Cache-Control and Expires")
  func surrogateControlWins() {
    let found = freshness([
      ("cache-control", "s-maxage=1, max-age=2, no-cache"), ("expires", "0"), ("surrogate-control", "max-age=30"),
    ])
    #expect(found.lifetime == 30)
    #expect(found.source == .surrogateControl)
  }

  @Test("RFC 9111 §5.2.2.4: no-cache is stale at once, so that each use is validated")
  func noCacheIsStaleAtOnce() {
    let found = freshness([("cache-control", "no-cache, max-age=60, stale-while-revalidate=9")])
    #expect(found.lifetime == 0)
    #expect(found.staleWhileRevalidate == 0)
    #expect(freshness([("cache-control", "no-cache")]).isExplicit)
  }

  @Test("RFC 9111 §5.2.2.4: no-cache that names fields is about these fields only")
  func noCacheWithFieldsIsAboutTheFields() { #expect(lifetime("no-cache=\"set-cookie\", max-age=60") == 60) }

  // MARK: Age

  @Test("RFC 9111 §4.2.3: the initial age is what Age says")
  func theInitialAgeIsWhatAgeSays() {
    #expect(freshness([("age", "17"), ("date", HTTPDate.text(now))]).initialAge == 17)
    #expect(freshness([("age", "soon")]).initialAge == 0)
  }

  @Test("RFC 9111 §4.2.3: a Date further back than Age tells counts more, but for the second it is rounded by")
  func theApparentAgeCountsWhenItIsLarger() {
    #expect(freshness([("age", "5"), ("date", HTTPDate.text(now - 61))]).initialAge == 60)
    #expect(freshness([("date", HTTPDate.text(now - 1))]).initialAge == 0)
    #expect(freshness([("date", HTTPDate.text(now + 500))]).initialAge == 0)
  }

  // MARK: Stale use

  @Test("RFC 5861 §3, §4: the windows of stale use come from Surrogate-Control, else from Cache-Control")
  func theWindowsOfStaleUse() {
    let found = freshness([
      ("cache-control", "max-age=1, stale-while-revalidate=2, stale-if-error=3"),
      ("surrogate-control", "stale-while-revalidate=20"),
    ])
    #expect(found.staleWhileRevalidate == 20)
    #expect(found.staleIfError == 3)
    #expect(freshness([("cache-control", "max-age=1")]).staleWhileRevalidate == 0)
  }

  @Test(
    "RFC 9111 §5.2.2.2, §5.2.2.8: what must be revalidated is never used stale",
    arguments: ["must-revalidate", "proxy-revalidate"])
  func whatMustBeRevalidatedIsNeverUsedStale(directive: String) {
    let found = freshness([
      ("cache-control", "max-age=5, stale-while-revalidate=9, stale-if-error=9, \(directive)")
    ])
    #expect(found.lifetime == 5)
    #expect(found.staleWhileRevalidate == 0)
    #expect(found.staleIfError == 0)
  }
}
