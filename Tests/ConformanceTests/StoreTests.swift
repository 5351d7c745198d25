import Testing

/// Tables that guests look things up in: config stores, dictionaries, geolocation, devices, user agents.
@Suite("Conformance: stores and lookups", .timeLimit(.minutes(5)))
struct StoreTests {
  private static let items = #"{"key": "value", "empty": "", "long": "\#(String(repeating: "x", count: 100))"}"#

  @Test(arguments: ["config_store", "dictionary"])
  func aStoreFromAFileServesBothModules(_ module: String) async throws {
    let file = try temporaryFile("items.json", Self.items)
    let flags = ["-d", "store=\(file)", "--config-store", "other=\(file)"]
    try await withFastlike("stores", flags) { edge in
      for name in ["store", "other"] {
        let report = try await edge.report("/\(module)?name=\(name)&key=key&capacity=4")
        #expect(report.lines == ["open=ok", "reading=!buflen,5,", "value=value", "bad_handle=!badf"])
      }
      #expect(try await edge.report("/\(module)?key=long&capacity=10")["reading"] == "!buflen,100,")
      // An empty value is a value.
      #expect(try await edge.report("/\(module)?key=empty")["reading"] == "ok,0,")
      #expect(try await edge.report("/\(module)?key=missing")["value"] == "!none")
      let long = String(repeating: "k", count: 300)
      #expect(try await edge.report("/\(module)?key=\(long)")["value"] == "!none")
      #expect(try await edge.report("/\(module)?name=missing")["open"] == "!badf")
    }
  }

  @Test func aManifestsStoresAreServed() async throws {
    let file = try temporaryFile("items.json", Self.items)
    let manifest = try temporaryFile(
      "fastly.toml",
      """
      [local_server.config_stores.inline]
      format = "inline-toml"
      [local_server.config_stores.inline.contents]
      key = "from the manifest"
      [local_server.config_stores.filed]
      format = "json"
      file = "\(file)"
      """)
    try await withFastlike("stores", ["-C", manifest]) { edge in
      let report = try await edge.report("/config_store?name=inline")
      #expect(report["value"] == "from the manifest")
      #expect(try await edge.report("/dictionary?name=filed")["value"] == "value")
    }
  }

  // MARK: Geolocation

  @Test func geolocationComesFromItsFile() async throws {
    let file = try temporaryFile(
      "geo.json",
      #"{"127.0.0.1": {"city": "Home"}, "192.0.2.0/24": {"city": "Docs"}, "2001:db8::1": {"city": "Six", "n": 1}}"#)
    try await withFastlike("lookups", ["--geo", file]) { edge in
      let report = try await edge.report("/geo_client")
      #expect(report["record"] == #"{"city":"Home"}"#)
      let docs = try await edge.report("/geo?ip=192.0.2.77")
      #expect(docs["record"] == #"{"city":"Docs"}"#)
      #expect(docs["tiny_status"] == "!buflen")
      #expect(docs["tiny_length_is_needed"] == "1")
      #expect(docs.names(with: "!inval") == ["octets_0", "octets_3", "octets_5", "octets_15", "octets_17"])
      let six = try await edge.report("/geo?ip=20010db8000000000000000000000001")
      #expect(six["record"] == #"{"city":"Six","n":1}"#)
      #expect(try await edge.report("/geo?ip=198.51.100.1")["record"]?.isEmpty == true)
    }
  }

  @Test func loopbackHasADefaultRecordThatCanBeSwitchedOff() async throws {
    let edge = try await SharedEdges.edge("lookups")
    let record = try #require(try await edge.report("/geo_client")["record"])
    #expect(record.contains(#""city":"San Francisco""#))
    #expect(record.contains(#""as_number":54113"#))
    #expect(try await edge.report("/geo?ip=00000000000000000000000000000001")["record"] == record)
    #expect(try await edge.report("/geo?ip=198.51.100.1")["record"]?.isEmpty == true)
    let manifest = try temporaryFile("fastly.toml", "[local_server.geolocation]\nuse_default_loopback = false\n")
    try await withFastlike("lookups", ["-C", manifest]) { edge in
      let report = try await edge.report("/geo_client")
      #expect(report["record"]?.isEmpty == true)
    }
  }

  @Test func inlineRecordsKeepTheirTypes() async throws {
    let manifest = try temporaryFile(
      "fastly.toml",
      """
      [local_server.geolocation]
      format = "inline-toml"
      [local_server.geolocation.addresses."10.0.0.1"]
      city = "Ten"
      as_number = 1
      latitude = 1.5
      proxy = true
      [local_server.device_detection]
      format = "inline-toml"
      [local_server.device_detection.user_agents."my phone/1.0"]
      device = { name = "Phone", is_mobile = true }
      """)
    try await withFastlike("lookups", ["-C", manifest]) { edge in
      let geo = try await edge.report("/geo?ip=10.0.0.1")
      #expect(geo["record"] == #"{"as_number":1,"city":"Ten","latitude":1.5,"proxy":true}"#)
      let device = try await edge.report("/device?ua=my%20phone/1.0")
      #expect(device["record"] == #"{"device":{"is_mobile":true,"name":"Phone"}}"#)
      #expect(device["tiny_status"] == "!buflen")
      #expect(device["not_text"] == "!inval")
      #expect(try await edge.report("/device?ua=my%20phone")["record"] == "!none")
    }
  }

  @Test func devicesComeFromTheirFile() async throws {
    let file = try temporaryFile("devices.json", #"{"phone": {"device": {"is_mobile": true}}}"#)
    let manifest = try temporaryFile(
      "fastly.toml", "[local_server.device_detection]\nformat = \"json\"\nfile = \"\(file)\"\n")
    try await withFastlike("lookups", ["-C", manifest]) { edge in
      let report = try await edge.report("/device?ua=phone")
      #expect(report["record"] == #"{"device":{"is_mobile":true}}"#)
    }
  }

  @Test func aUserAgentIsTakenApart() async throws {
    let edge = try await SharedEdges.edge("lookups")
    let chrome = "Mozilla/5.0%20(X11)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/120.1.2.3%20Safari/537.36"
    let report = try await edge.report("/uap?ua=\(chrome)")
    #expect(report.lines == ["parse=ok", "family=Chrome", "major=120", "minor=1", "patch=2", "tiny=!buflen"])
    #expect(try await edge.report("/uap?ua=")["family"] == "Other")
  }

  // MARK: Services without a local counterpart

  @Test func theImageOptimizerIsUnsupportedAndTheFirewallLetsEverythingPass() async throws {
    let edge = try await SharedEdges.edge("services")
    let image = try await edge.report("/image_optimizer")
    #expect(image["transform"] == "!unsupported")
    #expect(image["no_response"] == "1")
    let verdict = try await edge.report("/inspect")
    #expect(
      verdict["named"]
        == #"{"waf_response":200,"redirect_url":"","tags":[],"verdict":"allow","decision_ms":0}"#)
    #expect(verdict["tiny"] == "!buflen")
    #expect(verdict["unnamed"] == "!inval")
    #expect(verdict["bad_request"] == "!badf")
    #expect(verdict["bad_body"] == "!badf")
  }
}
