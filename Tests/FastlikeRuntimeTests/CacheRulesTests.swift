import Testing

@testable import FastlikeRuntime

private let second: UInt64 = 1_000_000_000

/// Ages and what they allow.
@Suite struct CacheLifetimeTests {
  private let lifetime = CacheLifetime(
    maxAge: 10 * second, initialAge: 2 * second, staleWhileRevalidate: 5 * second, staleIfError: 20 * second)

  @Test func `an age is the time since storing and the age at storing`() {
    #expect(lifetime.age(storedAt: 100 * second, now: 103 * second) == 5 * second)
    #expect(lifetime.age(storedAt: 100 * second, now: 100 * second) == 2 * second)
  }

  @Test func `an age that does not fit stays at the greatest number`() {
    #expect(CacheLifetime(initialAge: .max).age(storedAt: 0, now: 1) == .max)
  }

  @Test(
    arguments: [(9, .fresh), (10, .stale), (14, .stale), (15, .staleIfError), (29, .staleIfError), (30, .expired)]
      as [(UInt64, CacheLifetime.Freshness)])
  func `each age has its freshness`(seconds: UInt64, freshness: CacheLifetime.Freshness) {
    #expect(lifetime.freshness(age: seconds * second, isSoftPurged: false) == freshness)
  }

  @Test(arguments: [(0, .stale), (14, .stale), (15, .staleIfError)] as [(UInt64, CacheLifetime.Freshness)])
  func `a softly purged object is stale, with its windows as they were`(
    seconds: UInt64, freshness: CacheLifetime.Freshness
  ) {
    #expect(lifetime.freshness(age: seconds * second, isSoftPurged: true) == freshness)
  }

  @Test func `the greatest windows do not wrap around`() {
    let endless = CacheLifetime(maxAge: .max, staleWhileRevalidate: .max, staleIfError: .max)
    #expect(endless.freshness(age: 1 << 62, isSoftPurged: false) == .fresh)
    #expect(!endless.isForgotten(age: 1 << 62))
  }

  @Test func `an object is forgotten ten minutes after its last window`() {
    #expect(!lifetime.isForgotten(age: 629 * second))
    #expect(lifetime.isForgotten(age: 630 * second))
  }
}

/// Vary rules and the variants of requests.
@Suite struct VaryRuleTests {
  private func variant(_ rule: String, _ headers: [(String, String)]) throws -> CacheVariant {
    try #require(VaryRule(parsing: rule.utf8)).variant(of: HeaderList(headers))
  }

  @Test func `names are sorted, in lower case and each there once`() throws {
    let rule = try #require(VaryRule(parsing: "Origin accept  ORIGIN".utf8))
    #expect(rule.text == "accept origin")
    #expect(try rule == #require(VaryRule(parsing: "accept origin".utf8)))
  }

  @Test(arguments: ["", "  ", "accept,origin", "a:b", "accept\torigin"])
  func `what is no list of names is no rule`(text: String) { #expect(VaryRule(parsing: text.utf8) == nil) }

  @Test func `requests with the same values are one variant, whatever else they have`() throws {
    let first = try variant("accept", [("Accept", "text/html"), ("x", "1")])
    #expect(try first == variant("accept", [("x", "2"), ("accept", "text/html")]))
  }

  @Test func `an absent header is not an empty one`() throws {
    #expect(try variant("accept", []) != variant("accept", [("accept", "")]))
  }

  @Test func `one field with a comma is not two fields, and order counts`() throws {
    let joined = try variant("accept", [("accept", "a, b")])
    let apart = try variant("accept", [("accept", "a"), ("accept", "b")])
    #expect(joined != apart)
    #expect(try apart != variant("accept", [("accept", "b"), ("accept", "a")]))
  }

  @Test func `without a rule all requests are the same`() {
    #expect(VaryRule.none.variant(of: HeaderList([("a", "b")])) == VaryRule.none.variant(of: HeaderList()))
  }
}

/// Lists of surrogate keys.
@Suite struct SurrogateKeyTests {
  @Test func `keys are separated by spaces and each there once`() throws {
    #expect(try #require(SurrogateKeys(parsing: "b  a b".utf8)).keys == ["b", "a"])
    #expect(try #require(SurrogateKeys(parsing: "".utf8)).keys.isEmpty)
  }

  @Test func `keys that are not visible ASCII are refused`() {
    #expect(SurrogateKeys(parsing: "a\tb".utf8) == nil)
    #expect(SurrogateKeys(parsing: "grün".utf8) == nil)
    #expect(SurrogateKeys(parsing: [0x7F]) == nil)
  }

  @Test func `a key has at most 1024 bytes and all have at most 16384`() throws {
    #expect(SurrogateKeys(parsing: [UInt8](repeating: 0x61, count: 1024)) != nil)
    #expect(SurrogateKeys(parsing: [UInt8](repeating: 0x61, count: 1025)) == nil)
    let full = (0..<16).flatMap { [UInt8](repeating: 0x61 + UInt8($0), count: 1023) + [0x20] }
    #expect(try #require(SurrogateKeys(parsing: full)).keys.count == 16)
    #expect(SurrogateKeys(parsing: full + [0x20]) == nil)
  }

  @Test func `the empty key is none`() { #expect(SurrogateKeys.key([]) == nil) }
}

/// Which part of a body a reader gets.
@Suite struct CacheRangeTests {
  private func span(_ from: UInt64?, _ to: UInt64?, length: UInt64?, always: Bool = false) throws -> CachedBodySpan {
    try #require(CacheRange(from: from, to: to)).span(length: length, always: always)
  }

  private func part(_ first: Int, _ end: Int?) -> CachedBodySpan { CachedBodySpan(start: .offset(first), end: end) }

  @Test func `both ends of a range belong to it`() throws { #expect(try span(2, 4, length: 10) == part(2, 5)) }

  @Test func `a range without an end goes to the end`() throws { #expect(try span(3, nil, length: 10) == part(3, nil)) }

  @Test func `a range with only an end is so many last bytes`() throws {
    #expect(try span(nil, 4, length: 10) == part(6, nil))
    #expect(try span(nil, 10, length: 10) == part(0, nil))
  }

  @Test(arguments: [(10, nil), (2, 10), (nil, 0), (nil, 11)] as [(UInt64?, UInt64?)])
  func `a range that does not lie in the body is the whole body`(from: UInt64?, to: UInt64?) throws {
    #expect(try span(from, to, length: 10) == .whole)
  }

  @Test func `a range that ends before it begins is refused`() { #expect(CacheRange(from: 3, to: 2) == nil) }

  @Test func `without a known length the whole body is read, unless the range is to be used always`() throws {
    #expect(try span(2, 4, length: nil) == .whole)
    #expect(try span(2, 4, length: nil, always: true) == part(2, 5))
    #expect(try span(nil, 4, length: nil, always: true) == CachedBodySpan(start: .beforeEnd(4), end: nil))
  }

  @Test func `the greatest offsets do not trap`() throws {
    #expect(try span(0, .max, length: nil, always: true) == part(0, .max))
    #expect(try span(.max, .max, length: nil, always: true) == part(.max, .max))
  }
}
