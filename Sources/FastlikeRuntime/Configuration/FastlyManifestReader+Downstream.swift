extension FastlyManifestReader {
  /// Keys of `[local_server.downstream]` that this file reads.
  private static let downstreamKeys = [
    "client_address", "server_address", "compliance_region", "ddos_detected", "visits_this_service", "visits_this_pop",
    "bot", "proxy", "tls", "h2_fingerprint", "oh_fingerprint",
  ]

  /// `[local_server.downstream]`: what guests are told of their clients.
  mutating func readDownstream(_ table: ConfigurationTable) throws {
    try table.allowOnly(Self.downstreamKeys)
    var facts = DownstreamFacts()
    facts.clientAddress = try table["client_address"].map { try address($0) }
    facts.serverAddress = try table["server_address"].map { try address($0) }
    facts.complianceRegion = try table["compliance_region"].map { entry in
      let region = try entry.string()
      guard FlagValues.isComplianceRegion(region) else { throw entry.error("must be a region such as us or us-eu") }
      return region
    }
    facts.isAttack = try table["ddos_detected"]?.boolean() ?? false
    facts.visitsThisService = try table["visits_this_service"]?.count() ?? 0
    facts.visitsThisPoint = try table["visits_this_pop"]?.count() ?? 0
    facts.bot = try table["bot"].map { try readBot($0.table()) }
    facts.proxy = try table["proxy"].map { try readProxy($0.table()) }
    facts.tls = try table["tls"].map { try readTLS($0.table()) } ?? TLSFacts()
    facts.http2Fingerprint = try table["h2_fingerprint"]?.string()
    facts.headerOrderFingerprint = try table["oh_fingerprint"]?.string()
    manifest.downstream = facts
  }

  private func address(_ entry: ConfigurationEntry) throws -> IPAddress {
    guard let address = IPAddress(try entry.string()) else {
      throw entry.error("must be an address such as 192.0.2.1 or 2001:db8::1")
    }
    return address
  }

  private func readTLS(_ table: ConfigurationTable) throws -> TLSFacts {
    try table.allowOnly([
      "protocol", "cipher", "server_name", "client_hello", "ja3_md5", "ja4", "client_certificate",
      "client_certificate_result",
    ])
    var tls = TLSFacts()
    tls.protocolName = try table["protocol"]?.string()
    tls.cipher = try table["cipher"]?.string()
    tls.serverName = try table["server_name"]?.string()
    tls.clientHello = try table["client_hello"].map { entry in
      guard let bytes = Self.bytes(hexadecimal: try entry.string()), ClientHello(bytes) != nil else {
        throw entry.error("must be a handshake message (01…) of TLS in hexadecimal digits, without its record's header")
      }
      return bytes
    }
    tls.ja3Digest = try table["ja3_md5"].map { entry in
      guard let bytes = Self.bytes(hexadecimal: try entry.string()), bytes.count == 16 else {
        throw entry.error("must be 32 hexadecimal digits")
      }
      return bytes
    }
    tls.ja4 = try table["ja4"]?.string()
    tls.clientCertificate = try table["client_certificate"].map { entry in
      let text = try entry.string()
      guard text.contains("-----BEGIN CERTIFICATE-----") else { throw entry.error("must be a certificate in PEM") }
      return text
    }
    tls.clientVerification = try table["client_certificate_result"].map { entry in
      let name = try entry.string()
      guard let known = TLSFacts.verificationResults.first(where: { $0.name == name }) else {
        let names = TLSFacts.verificationResults.map(\.name).joined(separator: ", ")
        throw entry.error("must be one of \(names)")
      }
      return known.result
    }
    return tls
  }

  /// Nil unless it is pairs of hexadecimal digits and nothing else.
  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0 != nil }) else { return nil }
    let values = digits.compactMap { $0.map(UInt8.init) }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  private func readBot(_ table: ConfigurationTable) throws -> BotFacts {
    try table.allowOnly(["analyzed", "detected", "name", "category", "category_kind", "verified"])
    var bot = BotFacts()
    bot.isAnalyzed = try table["analyzed"]?.boolean() ?? true
    bot.isDetected = try table["detected"]?.boolean() ?? false
    bot.name = try table["name"]?.string()
    bot.category = try table["category"]?.string()
    bot.categoryKind = try table["category_kind"].map { entry in
      if case .integer = entry.value { return try entry.count() }
      guard let kind = BotFacts.categoryKind(try entry.string()) else {
        throw entry.error("must be a number or one of \(BotFacts.categoryKinds.joined(separator: ", "))")
      }
      return kind
    }
    bot.isVerified = try table["verified"]?.boolean()
    return bot
  }

  private func readProxy(_ table: ConfigurationTable) throws -> ProxyFacts {
    try table.allowOnly(ProxyFacts.Kind.allCases.map(\.rawValue) + ["vpn_service_name"])
    var proxy = ProxyFacts()
    for kind in ProxyFacts.Kind.allCases where try table[kind.rawValue]?.boolean() ?? false { proxy.kinds.insert(kind) }
    proxy.serviceName = try table["vpn_service_name"]?.string()
    return proxy
  }
}

extension ConfigurationEntry {
  /// A number of the ABI: 0 to 4294967295.
  fileprivate func count() throws -> UInt32 {
    guard let count = UInt32(exactly: try integer()) else { throw error("must be from 0 to \(UInt32.max)") }
    return count
  }
}
