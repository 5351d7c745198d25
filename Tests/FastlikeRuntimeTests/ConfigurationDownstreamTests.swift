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
  ])
  func aMistakeInAFactIsExplained(line: String, part: String) {
    #expect(manifestProblem("[local_server.downstream]\n\(line)").contains(part))
  }
}
