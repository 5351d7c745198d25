import ComputeABI
import Testing

@testable import FastlikeRuntime

@Suite("What may be stored (RFC 9111 §3)") struct HTTPCacheabilityTests {
  private func action(
    _ response: [(String, String)] = [("cache-control", "max-age=60")], status: UInt16 = 200, method: String = "GET",
    request: [(String, String)] = []
  ) -> HTTPStorageAction {
    HTTPCacheability.storageAction(
      for: ResponseHead(status: status, headers: HeaderList(response)),
      to: RequestHead(method: method, headers: HeaderList(request)))
  }

  @Test("RFC 9111 §3: a response to GET is stored")
  func aResponseToGETIsStored() { #expect(action() == .insert) }

  @Test("RFC 9111 §3: the method has to be understood", arguments: ["POST", "PUT", "DELETE", "get", "QUERY"])
  func otherMethodsAreNotStored(method: String) {
    #expect(action(method: method) == .doNotStore)
    #expect(!HTTPCacheability.isCacheable(method: method))
  }

  @Test("Platform: the statuses that are stored", arguments: [200, 203, 300, 301, 302, 404, 410])
  func theStatusesThatAreStored(status: UInt16) { #expect(action(status: status) == .insert) }

  @Test(
    "RFC 9111 §3.3, platform: partial, unfinished and failed responses are not stored",
    arguments: [204, 206, 303, 304, 307, 400, 403, 418, 500, 503])
  func otherStatusesAreNotStored(status: UInt16) { #expect(action(status: status) == .doNotStore) }

  @Test("RFC 9111 §5.2.2.5: no-store is not stored, and nobody waits for it")
  func noStoreIsNotStored() { #expect(action([("cache-control", "max-age=60, no-store")]) == .recordUncacheable) }

  @Test("RFC 9111 §5.2.2.7: private is not stored")
  func privateIsNotStored() { #expect(action([("cache-control", "private, max-age=60")]) == .doNotStore) }

  @Test("RFC 9111 §5.2.2.7: private that names fields is about these fields only")
  func privateWithFieldsIsStored() {
    #expect(action([("cache-control", "private=\"x-user\", max-age=60")]) == .insert)
  }

  @Test("Platform: what Surrogate-Control allows is stored, whatever Cache-Control tells the caches behind")
  func surrogateControlOutweighs() {
    #expect(action([("cache-control", "private, no-store"), ("surrogate-control", "max-age=60")]) == .insert)
    #expect(action([("cache-control", "max-age=60"), ("surrogate-control", "no-store")]) == .recordUncacheable)
  }

  @Test("Platform: a response with cookies is not stored, and nobody waits for it")
  func cookiesAreNotStored() {
    #expect(action([("cache-control", "max-age=60"), ("set-cookie", "a=1")]) == .recordUncacheable)
  }

  @Test("RFC 9111 §4.1: a response that varies on everything suits no other request")
  func varyingOnEverythingIsNotStored() {
    #expect(action([("cache-control", "max-age=60"), ("vary", "accept, *")]) == .recordUncacheable)
  }

  @Test("RFC 9111 §3.5: a response to a request with credentials is for that request only")
  func credentialsAreNotShared() { #expect(action(request: [("authorization", "x")]) == .doNotStore) }

  @Test(
    "RFC 9111 §3.5: unless the response says that it may be shared",
    arguments: ["public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"])
  func credentialsAreSharedWhereAllowed(control: String) {
    #expect(action([("cache-control", control)], request: [("Authorization", "x")]) == .insert)
  }

  @Test("RFC 9111 §5.2.1: the client's own directives are advice that this cache does not take")
  func theClientsDirectivesAreAdvice() { #expect(action(request: [("cache-control", "no-store")]) == .insert) }

  @Test("RFC 9110 §12.5.5: the names of Vary, once each and in lower case")
  func theNamesOfVary() {
    #expect(HTTPVary(of: HeaderList([("vary", "Accept, X-A,,"), ("Vary", "x-a")])) == .fields(["accept", "x-a"]))
    #expect(HTTPVary(of: HeaderList([("vary", "Accept, X-A")])).ruleText == "accept x-a")
    #expect(HTTPVary(of: HeaderList()) == .fields([]))
  }
}
