public import ComputeABI

/// What a service is told of its clients in place of what the platform would find out: `[local_server.downstream]`.
///
/// It is the same for every request, so that each branch of a guest can be tried by editing one line.
public struct DownstreamFacts: Sendable, Equatable {
  /// What `downstream_client_ip_addr` answers instead of the connection's own address.
  public var clientAddress: IPAddress?
  /// What `downstream_server_ip_addr` answers instead of the connection's own address.
  public var serverAddress: IPAddress?
  /// What `downstream_compliance_region` answers; nil where the manifest does not say.
  public var complianceRegion: String?
  public var isAttack = false
  /// How often the request has come through this service, and through this point of presence.
  public var visitsThisService: UInt32 = 0
  public var visitsThisPoint: UInt32 = 0
  /// Nil is a client that was not analyzed.
  public var bot: BotFacts?
  /// Nil is an address of which nothing is known.
  public var proxy: ProxyFacts?
  /// What its TLS tells of the client, in place of what the connection tells.
  public var tls = TLSFacts()
  public var http2Fingerprint: String?
  /// The fingerprint of the order of header fields, which only the platform computes.
  public var headerOrderFingerprint: String?

  public init() {}
}

/// What bot detection found out.
public struct BotFacts: Sendable, Equatable {
  public var isAnalyzed = true
  public var isDetected = false
  public var name: String?
  public var category: String?
  /// A place in ``categoryKinds``, or a number that the platform may give in future.
  public var categoryKind: UInt32?
  /// Whether the bot is the one that it says it is; nil where that was not checked.
  public var isVerified: Bool?

  public init() {}

  /// The kinds of categories in the order of the ABI's numbers.
  public static let categoryKinds = [
    "none", "suspected", "accessibility", "ai-crawler", "ai-fetcher", "content-fetcher", "monitoring-site-tools",
    "online-marketing", "page-preview", "platform-integration", "research", "search-engine-crawler",
    "search-engine-optimization", "security-tools", "headless",
  ]

  /// The number of a kind: its name in any case, or a number.
  public static func categoryKind(_ text: String) -> UInt32? {
    categoryKinds.firstIndex(of: text.lowercased()).map(UInt32.init) ?? UInt32(text)
  }
}

/// What is known of a client's address as that of a proxy or of a private network.
public struct ProxyFacts: Sendable, Equatable {
  /// One thing that an address may be, by its key in the manifest.
  public enum Kind: String, Sendable, CaseIterable {
    case anonymous
    case anonymousVPN = "anonymous_vpn"
    case hostingProvider = "hosting_provider"
    case proxyOverVPN = "proxy_over_vpn"
    case publicProxy = "public_proxy"
    case relayProxy = "relay_proxy"
    case residentialProxy = "residential_proxy"
    case smartDNSProxy = "smart_dns_proxy"
    case torExitNode = "tor_exit_node"
    case vpnDatacenter = "vpn_datacenter"
  }

  /// What the address is; it is nothing else.
  public var kinds: Set<Kind> = []
  public var serviceName: String?

  public init() {}
}

/// What TLS tells of a client; nil is what the connection tells.
public struct TLSFacts: Sendable, Equatable {
  /// As in `TLSv1.3`.
  public var protocolName: String?
  /// As OpenSSL names it.
  public var cipher: String?
  public var serverName: String?
  /// A complete handshake message; the server name and the fingerprints follow from it unless they are given.
  public var clientHello: [UInt8]?
  /// 16 bytes.
  public var ja3Digest: [UInt8]?
  public var ja4: String?
  /// PEM.
  public var clientCertificate: String?
  public var clientVerification: ClientCertVerifyResult?

  public init() {}

  /// The results of a certificate's check by their names in the manifest.
  static let verificationResults: [(name: String, result: ClientCertVerifyResult)] = [
    ("ok", .ok), ("bad", .badCertificate), ("revoked", .certificateRevoked), ("expired", .certificateExpired),
    ("unknown_ca", .unknownCa), ("missing", .certificateMissing), ("unknown", .certificateUnknown),
  ]
}
