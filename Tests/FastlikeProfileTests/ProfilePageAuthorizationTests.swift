import Testing

@testable import FastlikeProfile

struct ProfilePageAuthorizationTests {
  @Test(arguments: [
    "localhost", "LocalHost:6060", "127.0.0.1", "127.0.0.1:6060", "127.255.0.9:1", "::1", "[::1]:6060", "[::1]",
    "0:0:0:0:0:0:0:1",
  ]) func loopbackIsToldFromTheText(address: String) {
    #expect(ProfilePageAuthorization.isLoopback(address))
  }

  @Test(arguments: [
    "", ":6060", "0.0.0.0:6060", "[::]:6060", "::", "example.com:80", "localhost.example.com", "10.0.0.1",
    "128.0.0.1", "127.1", "[::1]x", "[::1", "/run/page.sock", "unix:/run/page.sock", "::2", "1::1",
  ]) func everythingElseIsNotLoopback(address: String) {
    #expect(!ProfilePageAuthorization.isLoopback(address))
  }

  @Test func anOpenPageBeyondLoopbackIsRefusedWithTheFlagsThatHelp() throws {
    let error = #expect(throws: ProfilePageAuthorizationError.self) {
      try ProfilePageAuthorization.validate(address: "0.0.0.0:6060", token: "", insecure: false)
    }
    let text = try #require(error).description
    #expect(text.contains("-profile-ui 0.0.0.0:6060"))
    #expect(text.contains("-profile-auth"))
    #expect(text.contains("-profile-insecure-ui"))
    #expect(!text.contains("\n"))
  }

  @Test func aTokenTheFlagOrLoopbackMakeAPageRight() throws {
    try ProfilePageAuthorization.validate(address: "0.0.0.0:6060", token: "t", insecure: false)
    try ProfilePageAuthorization.validate(address: "0.0.0.0:6060", token: "", insecure: true)
    try ProfilePageAuthorization.validate(address: "localhost:6060", token: "", insecure: false)
  }

  @Test func theBearerTokenOpensThePage() {
    let page = ProfilePageAuthorization(token: "s3cret", address: "0.0.0.0:1")
    #expect(page.allows(authorization: "Bearer s3cret"))
    #expect(page.allows(authorization: "bearer  s3cret"))
  }

  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret ", "Bearer s3cretx", "Bearer S3CRET", "Basic s3cret",
    "s3cret", "Bearer x s3cret",
  ]) func everythingElseIsRefused(header: String?) {
    #expect(!ProfilePageAuthorization(token: "s3cret", address: "0.0.0.0:1").allows(authorization: header))
  }

  @Test func withoutATokenEveryRequestIsAllowed() {
    let page = ProfilePageAuthorization(token: "", address: "localhost:1")
    #expect(!page.requiresToken)
    #expect(page.allows(authorization: nil))
  }

  @Test func aForeignNameDoesNotReadAnOpenLoopbackPage() {
    let page = ProfilePageAuthorization(token: "", address: "127.0.0.1:6060")
    #expect(page.allows(host: "localhost:6060"))
    #expect(page.allows(host: "127.0.0.1:6060"))
    #expect(!page.allows(host: "evil.example:6060"))
    #expect(!page.allows(host: nil))
    #expect(ProfilePageAuthorization(token: "t", address: "127.0.0.1:6060").allows(host: "any.example"))
    #expect(ProfilePageAuthorization(token: "", address: "0.0.0.0:6060").allows(host: "any.example"))
  }
}
