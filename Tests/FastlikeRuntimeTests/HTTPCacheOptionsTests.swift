import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite("What is said of stored responses") struct HTTPCacheOptionsTests {
  @Test("Platform: suggested surrogate keys are the URL's own and those of Surrogate-Key")
  func suggestedSurrogateKeys() {
    let key = HTTPCacheKey(suggestedFor: RequestHead(uri: "http://a/"))
    let head = ResponseHead(headers: HeaderList([("surrogate-key", "one  two"), ("Surrogate-Key", "three")]))
    #expect(HTTPCacheOptions(for: ResponseHead(), key: key, now: 0).surrogateKeys == key.surrogateKey)
    #expect(HTTPCacheOptions(for: head, key: key, now: 0).surrogateKeys == key.surrogateKey + " one two three")
  }

  @Test("RFC 9111 §4.1: a vary rule is read with spaces and with commas")
  func aVaryRuleIsReadWithSpacesAndCommas() throws {
    var options = HTTPCacheOptions()
    options.varyText = "accept,user-agent"
    #expect(try options.attributes(head: ResponseHead()).varyRule.text == "accept user-agent")
    options.varyText = ""
    #expect(try options.attributes(head: ResponseHead()).varyRule == .none)
    options.varyText = "a{b"
    #expect(throws: Status.error) { try options.attributes(head: ResponseHead()) }
  }

  @Test func surrogateKeysThatAreNotAllowedAreRefused() {
    var options = HTTPCacheOptions()
    options.surrogateKeys = "ok sch\u{F6}n"
    #expect(throws: Status.inval) { try options.attributes(head: ResponseHead()) }
  }

  @Test("Cache override: only what was asked for takes the place of what the response says")
  func anOverrideReplacesWhatWasAskedFor() {
    var options = HTTPCacheOptions()
    options.maxAge = 1
    options.staleWhileRevalidate = 2
    options.surrogateKeys = "a"
    CacheOverride([.ttl, .pci], ttl: 7, staleWhileRevalidate: 9, surrogateKeys: "b c").apply(to: &options)
    #expect(options.maxAge == 7_000_000_000)
    #expect(options.staleWhileRevalidate == 2)
    #expect(options.surrogateKeys == "a b c")
    #expect(options.isSensitive)
  }
}
