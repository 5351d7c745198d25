import ComputeABI
import Testing

@testable import FastlikeRuntime

/// `[local_server.downstream]`.
@Suite struct ConfigurationDownstreamTests {
  @Test func factsOfClientsAreReadFromTheManifest() throws {
    let text = """
      [local_server.downstream]
      client_address = "2001:db8::7"
      server_address = "192.0.2.1"
      compliance_region = "us-eu"
      ddos_detected = true
      visits_this_service = 2
      visits_this_pop = 3
      [local_server.downstream.bot]
      detected = true
      name = "crawly"
      category = "ai"
      category_kind = "AI-Crawler"
      verified = false
      [local_server.downstream.proxy]
      tor_exit_node = true
      anonymous = true
      relay_proxy = false
      vpn_service_name = "hidden"
      """
    let facts = try manifest(text).downstream
    #expect(facts.clientAddress == IPAddress("2001:db8::7"))
    #expect(facts.serverAddress == IPAddress("192.0.2.1"))
    #expect(facts.complianceRegion == "us-eu")
    #expect(facts.isAttack)
    #expect(facts.visitsThisService == 2)
    #expect(facts.visitsThisPoint == 3)
    var bot = BotFacts()
    bot.isDetected = true
    bot.name = "crawly"
    bot.category = "ai"
    bot.categoryKind = 3
    bot.isVerified = false
    #expect(facts.bot == bot)
    var proxy = ProxyFacts()
    proxy.kinds = [.torExitNode, .anonymous]
    proxy.serviceName = "hidden"
    #expect(facts.proxy == proxy)
  }

  @Test func factsOfAClientsTLSAreReadFromTheManifest() throws {
    let text = """
      [local_server.downstream]
      h2_fingerprint = "1:65536|15663105|0|m,a,s,p"
      oh_fingerprint = "abc"
      [local_server.downstream.tls]
      protocol = "TLSv1.2"
      cipher = "ECDHE-RSA-AES128-GCM-SHA256"
      server_name = "www.test"
      client_hello = "0100002903010101010101010101010101010101010101010101010101010101010101010101000002002F0100"
      ja3_md5 = "000102030405060708090a0b0c0d0e0F"
      ja4 = "t12d"
      client_certificate = '''
      -----BEGIN CERTIFICATE-----
      '''
      client_certificate_result = "expired"
      """
    let facts = try manifest(text).downstream
    #expect(facts.http2Fingerprint == "1:65536|15663105|0|m,a,s,p")
    #expect(facts.headerOrderFingerprint == "abc")
    #expect(facts.tls.protocolName == "TLSv1.2")
    #expect(facts.tls.cipher == "ECDHE-RSA-AES128-GCM-SHA256")
    #expect(facts.tls.serverName == "www.test")
    #expect(facts.tls.clientHello?.count == 45)
    #expect(facts.tls.ja3Digest == Array(0..<16))
    #expect(facts.tls.ja4 == "t12d")
    #expect(facts.tls.clientCertificate == "-----BEGIN CERTIFICATE-----\n")
    #expect(facts.tls.clientVerification == .certificateExpired)
  }

  @Test func nothingIsKnownOfClientsWithoutTheTable() throws {
    #expect(try manifest("").downstream == DownstreamFacts())
  }

  @Test func theRegionOfAFlagWinsOverTheManifests() throws {
    let folder = try ManifestFolder()
    try folder.write("[local_server.downstream]\ncompliance_region = \"eu\"", to: "fastly.toml")
    var options = ServiceOptions()
    options.manifest = "fastly.toml"
    #expect(try ServiceConfiguration.load(options, workingDirectory: folder.path).complianceRegion == "eu")
    options.complianceRegion = "us"
    #expect(try ServiceConfiguration.load(options, workingDirectory: folder.path).complianceRegion == "us")
  }

  @Test(arguments: [
    ("client_address = \"localhost\"", "fastly.toml:2: local_server.downstream.client_address: must be an address"),
    ("client_adress = \"::1\"", "downstream.client_adress: unrecognized key"),
    ("compliance_region = \"\"", "downstream.compliance_region: must be a region"),
    ("ddos_detected = 1", "downstream.ddos_detected: must be true or false"),
    ("visits_this_pop = -1", "downstream.visits_this_pop: must be from 0 to 4294967295"),
    ("bot = {kind = 1}", "downstream.bot.kind: unrecognized key"),
    ("bot = {category_kind = \"robot\"}", "downstream.bot.category_kind: must be a number or one of none, suspected"),
    ("proxy = {tor = true}", "downstream.proxy.tor: unrecognized key"),
    ("proxy = {anonymous = \"yes\"}", "downstream.proxy.anonymous: must be true or false"),
    ("proxy = true", "downstream.proxy: must be a table"),
    ("tls = {version = 1}", "downstream.tls.version: unrecognized key"),
    ("tls = {client_hello = \"0100\"}", "downstream.tls.client_hello: must be a handshake message"),
    ("tls = {client_hello = \"xyz\"}", "downstream.tls.client_hello: must be a handshake message"),
    ("tls = {ja3_md5 = \"00\"}", "downstream.tls.ja3_md5: must be 32 hexadecimal digits"),
    ("tls = {client_certificate = \"x\"}", "downstream.tls.client_certificate: must be a certificate in PEM"),
    ("tls = {client_certificate_result = \"fine\"}", "result: must be one of ok, bad, revoked, expired, unknown_ca"),
  ])
  func aMistakeInAFactIsExplained(line: String, part: String) {
    #expect(manifestProblem("[local_server.downstream]\n\(line)").contains(part))
  }
}
