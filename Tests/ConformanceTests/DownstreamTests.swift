import Testing

/// What guests learn of their client (`fastly_http_downstream` and the older functions of `fastly_http_req`).
@Suite("Conformance: downstream facts", .timeLimit(.minutes(5)))
struct DownstreamTests {
  private func edge() async throws -> FastlikeProcess { try await SharedEdges.edge("downstream") }

  @Test func addressesAndRegionAreThoseOfTheConnection() async throws {
    let report = try await edge().report("/")
    for prefix in ["", "handle_"] {
      #expect(report[prefix + "client_ip"] == "7f000001")
      #expect(report[prefix + "server_ip"] == "7f000001")
      #expect(report[prefix + "compliance_region"] == "us-eu")
      #expect(report[prefix + "ddos_detected"] == "0")
    }
  }

  @Test func everyRequestHasAnIdOfItsOwn() async throws {
    let edge = try await edge()
    let first = try await edge.report("/")
    let second = try await edge.report("/")
    let identifier = try #require(first["request_id"])
    #expect(identifier.count == 32)
    #expect(identifier.allSatisfy { "0123456789abcdef".contains($0) })
    #expect(first["handle_request_id"] == identifier)
    #expect(second["request_id"] != identifier)
    #expect(first["request_id_tiny"] == "!buflen,32,")
  }

  @Test func aPlainConnectionHasNoTLSFacts() async throws {
    let report = try await edge().report("/")
    let facts = [
      "tls_cipher", "tls_protocol", "tls_client_hello", "tls_raw_client_certificate", "tls_client_cert_verify_result",
      "tls_client_servername", "tls_ja3_md5", "tls_ja4", "h2_fingerprint", "oh_fingerprint",
    ]
    for fact in facts {
      #expect(report[fact] == "!none")
      #expect(report["handle_" + fact] == "!none")
    }
  }

  @Test func aLocalHostKnowsNothingOfProxies() async throws {
    let report = try await edge().report("/")
    let flags = [
      "is_anonymous", "is_anonymous_vpn", "is_hosting_provider", "is_proxy_over_vpn", "is_public_proxy",
      "is_relay_proxy", "is_residential_proxy", "is_smart_dns_proxy", "is_tor_exit_node", "is_vpn_datacenter",
      "vpn_service_name",
    ]
    for flag in flags { #expect(report["handle_" + flag] == "!none") }
  }

  @Test func botsAreWhatTheRequestSays() async throws {
    let plain = try await edge().report("/")
    #expect(plain["handle_bot_analyzed"] == "0")
    #expect(plain["handle_bot_detected"] == "0")
    #expect(plain["handle_bot_name"] == "!none")
    #expect(plain["handle_bot_category"] == "!none")
    #expect(plain["handle_bot_category_kind"] == "0")
    #expect(plain["handle_bot_verified"] == "!none")
    let prefix = "X-Fastly-Bot-"
    let bot = try await edge().report(
      "/",
      headers:
        "\(prefix)Analyzed: true\r\n\(prefix)Detected: true\r\n\(prefix)Name: crawly\r\n\(prefix)Category: ai\r\n"
        + "\(prefix)Category-Kind: ai-crawler\r\n\(prefix)Verified: true\r\n")
    #expect(bot["handle_bot_analyzed"] == "1")
    #expect(bot["handle_bot_detected"] == "1")
    #expect(bot["handle_bot_name"] == "crawly")
    #expect(bot["handle_bot_category"] == "ai")
    #expect(bot["handle_bot_category_kind"] == "3")
    #expect(bot["handle_bot_verified"] == "1")
  }

  @Test func whatTheConfigurationSaysOfClientsIsWhatGuestsLearn() async throws {
    let manifest = try temporaryFile(
      "fastly.toml",
      """
      [local_server.downstream]
      client_address = "203.0.113.9"
      server_address = "2001:db8::1"
      compliance_region = "eu"
      ddos_detected = true
      visits_this_service = 2
      visits_this_pop = 5
      [local_server.downstream.bot]
      detected = true
      name = "crawly"
      category = "search-engine-crawler"
      verified = false
      [local_server.downstream.proxy]
      tor_exit_node = true
      vpn_service_name = "hidden"
      """)
    try await withFastlike("downstream", ["-C", manifest]) { edge in
      let report = try await edge.report("/")
      for prefix in ["", "handle_"] {
        #expect(report[prefix + "client_ip"] == "cb007109")
        #expect(report[prefix + "server_ip"] == "20010db8000000000000000000000001")
        #expect(report[prefix + "compliance_region"] == "eu")
        #expect(report[prefix + "ddos_detected"] == "1")
      }
      #expect(report["visits_this_service"] == "2")
      #expect(report["visits_this_pop"] == "5")
      let facts = report.lines.filter { $0.hasPrefix("handle_bot_") || $0.hasPrefix("handle_is_") }
      #expect(
        facts == [
          "handle_bot_name=crawly", "handle_bot_category=search-engine-crawler", "handle_bot_analyzed=1",
          "handle_bot_detected=1", "handle_bot_category_kind=11", "handle_bot_verified=0", "handle_is_anonymous=0",
          "handle_is_anonymous_vpn=0", "handle_is_hosting_provider=0", "handle_is_proxy_over_vpn=0",
          "handle_is_public_proxy=0", "handle_is_relay_proxy=0", "handle_is_residential_proxy=0",
          "handle_is_smart_dns_proxy=0", "handle_is_tor_exit_node=1", "handle_is_vpn_datacenter=0",
        ])
      #expect(report["handle_vpn_service_name"] == "hidden")
      let other = try await edge.report("/", headers: "X-Fastly-Bot-Name: other\r\nX-Fastly-Bot-Detected: false\r\n")
      #expect(other["handle_bot_name"] == "other")
      #expect(other["handle_bot_detected"] == "0")
    }
  }

  @Test func aConfiguredKeyIsValidWhileTheRequestCarriesIt() async throws {
    let valid = try await edge().report("/key", headers: "Fastly-Key: valid-key\r\n")
    #expect(valid.lines == ["legacy=1", "handle=1", "remove=ok", "removed=0"])
    let other = try await edge().report("/key", headers: "Fastly-Key: other-key\r\n")
    #expect(other.lines == ["legacy=0", "handle=0", "remove=ok", "removed=0"])
  }

  @Test func onlyTheClientsRequestHasFacts() async throws {
    let report = try await edge().report("/bad_handles")
    let own = report.lines.filter { $0.hasPrefix("own_") }
    #expect(own.count == 33)
    #expect(own.allSatisfy { $0.hasSuffix("=!error") })
    let bad = report.lines.filter { $0.hasPrefix("bad_") }
    #expect(bad.count == 33)
    #expect(bad.allSatisfy { $0.hasSuffix("=!badf") })
  }

  @Test(.enabled(if: ReservedPort.hasIPv6Loopback, "this machine has no IPv6 loopback"))
  func anIPv6ClientHasSixteenOctets() async throws {
    try await withFastlike("downstream", ["--bind", "[::1]:0"]) { edge in
      let mark = " on http://[::1]:"
      let line = try #require(edge.child.output.split(separator: "\n").first { $0.contains(mark) })
      let port = try #require(Int(line.split(separator: ":").last ?? ""))
      let client = RawHTTP(try await RawConnection.open(host: "::1", port: port))
      let report = GuestReport(text: try await client.exchange("GET / HTTP/1.1\r\nHost: e\r\n\r\n").text)
      #expect(report["client_ip"] == "00000000000000000000000000000001")
      #expect(report["server_ip"] == "00000000000000000000000000000001")
      await client.close()
    }
  }
}
