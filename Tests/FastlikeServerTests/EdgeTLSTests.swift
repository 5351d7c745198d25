import ComputeABI
import FastlikeRuntime
import Foundation
import NIOCore
import NIOSSL
import Testing
import X509

@testable import FastlikeServer

private let get = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

/// An edge's certificate and what its clients need.
struct TLSScene {
  let authority: DevelopmentAuthority
  let edge: EdgeTLS

  /// - Parameter clients: An authority whose certificates the clients are asked for.
  init(clients: DevelopmentAuthority? = nil, isRequired: Bool = false) throws {
    authority = try DevelopmentAuthority.make(now: Date())
    let leaf = try authority.issue(for: DevelopmentAuthority.localNames, now: Date())
    let judge = try clients.map {
      try ClientCertificates(authorities: try Self.certificates($0.identity), isRequired: isRequired)
    }
    edge = try EdgeTLS(
      chain: Self.certificates(leaf), key: Self.key(leaf), clients: judge, requiresClientCertificate: isRequired)
  }

  /// A client that trusts the edge's authority.
  func client(_ identity: CertificateWithKey? = nil) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(try Self.certificates(authority.identity))
    if let identity {
      configuration.certificateChain = try Self.certificates(identity).map { .certificate($0) }
      configuration.privateKey = .privateKey(try Self.key(identity))
    }
    return configuration
  }

  private static func certificates(_ identity: CertificateWithKey) throws -> [NIOSSLCertificate] {
    try NIOSSLCertificate.fromPEMBytes(Array(try identity.certificatePEM.utf8))
  }

  private static func key(_ identity: CertificateWithKey) throws -> NIOSSLPrivateKey {
    try NIOSSLPrivateKey(bytes: Array(identity.keyPEM.utf8), format: .pem)
  }
}

@Suite("Edge: TLS", .timeLimit(.minutes(1)))
struct EdgeTLSTests {
  private let secure = EdgeAddress.tls(host: "127.0.0.1", port: 0)

  /// What a request's handler learns of the client's TLS.
  private func facts(_ scene: TLSScene, _ client: TLSConfiguration) async throws -> DownstreamTLS? {
    let report = Report<DownstreamTLS?>()
    try await withEdge(
      at: secure, tls: scene.edge,
      answering: { request, responder, _ in
        report.send(request.connection.tls)
        responder.reply("x")
      }
    ) { edge in
      let response = try await edge.exchange(get, tls: client)
      #expect(bodyText(response) == "x")
    }
    return await report.value() ?? nil
  }

  @Test func aRequestOverTLSIsServedAndToldFromAPlainOne() async throws {
    let scene = try TLSScene()
    let facts = try #require(try await facts(scene, scene.client()))
    #expect(facts.protocolName == "TLSv1.3")
    #expect([0x1301, 0x1302, 0x1303].contains(facts.cipherSuite))
    #expect(facts.clientHello.first == 1)
    #expect(facts.clientHello.count > 100)
    #expect(facts.clientCertificate == nil)
    #expect(facts.clientVerification == nil)
  }

  @Test func anOlderClientSpeaksTLS12() async throws {
    let scene = try TLSScene()
    var client = try scene.client()
    client.maximumTLSVersion = .tlsv12
    let facts = try #require(try await facts(scene, client))
    #expect(facts.protocolName == "TLSv1.2")
    #expect([0xC02B, 0xC02C, 0xCCA9].contains(facts.cipherSuite))
  }

  @Test func aStillOlderClientIsRefused() async throws {
    let scene = try TLSScene()
    var client = try scene.client()
    client.minimumTLSVersion = .tlsv1
    client.maximumTLSVersion = .tlsv11
    try await withEdge(at: secure, tls: scene.edge, answering: { _, responder, _ in responder.reply("x") }) { edge in
      let response = try await edge.exchange(get, tls: client)
      #expect(response == "")
    }
  }

  @Test func aLargeBodyPassesBothWays() async throws {
    let scene = try TLSScene()
    try await withEdge(
      at: secure, tls: scene.edge,
      answering: { request, responder, _ in responder.reply(request.body) }
    ) { edge in
      let text = String(repeating: "0123456789abcdef", count: 20_000)
      let request = "PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
      let client = try await edge.connect(tls: scene.client())
      client.sendLater(request + text)
      let response = try await client.readToEnd()
      #expect(response.contains("transfer-encoding: chunked"))
      #expect(bodyText(response).utf8.count > text.utf8.count)
      #expect(response.hasSuffix("0\r\n\r\n"))
    }
  }

  @Test func aPlainRequestToATLSAddressIsBrokenOff() async throws {
    let scene = try TLSScene()
    try await withEdge(at: secure, tls: scene.edge, answering: { _, responder, _ in responder.reply("x") }) { edge in
      let response = try await edge.exchange(get)
      #expect(!response.contains("HTTP/1.1 200"))
    }
  }

  @Test func aClientThatDoesNotGoOnWithItsHandshakeIsClosed() async throws {
    var settings = EdgeSettings()
    settings.headTimeout = .milliseconds(80)
    let scene = try TLSScene()
    try await withEdge(
      at: secure, settings: settings, tls: scene.edge, answering: { _, responder, _ in responder.reply("x") }
    ) { edge in
      let response = try await edge.connect().readToEnd()
      #expect(response == "")
    }
  }

  @Test func aHandshakeCountsAsAConnection() async throws {
    var settings = EdgeSettings()
    settings.maximumConnections = 1
    let scene = try TLSScene()
    try await withEdge(
      at: secure, settings: settings, tls: scene.edge, answering: { _, responder, _ in responder.reply("x") }
    ) { edge in
      let first = try await edge.connect(tls: scene.client())
      try await first.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try await first.read(until: "x")
      let response = try await edge.exchange(get, tls: scene.client())
      #expect(response == "")
      // It does not wait for the other side's goodbye.
      try? await first.close()
    }
  }

  // MARK: Clients' certificates

  @Test func aClientsCertificateIsJudged() async throws {
    let clients = try DevelopmentAuthority.make(now: Date())
    let scene = try TLSScene(clients: clients)
    let good = try clients.issue(for: ["client.test"], now: Date())
    let facts = try #require(try await facts(scene, scene.client(good)))
    #expect(facts.clientVerification == .ok)
    #expect(try facts.clientCertificate == good.certificatePEM)
  }

  @Test func anOptionalCertificateThatDoesNotHoldIsReported() async throws {
    let clients = try DevelopmentAuthority.make(now: Date())
    let scene = try TLSScene(clients: clients)
    let stranger = try DevelopmentAuthority.make(now: Date()).issue(for: ["client.test"], now: Date())
    #expect(try await facts(scene, scene.client())?.clientVerification == .certificateMissing)
    #expect(try await facts(scene, scene.client(stranger))?.clientVerification == .unknownCa)
  }

  @Test func anExpiredCertificateIsToldFromABadOne() async throws {
    let then = Date().addingTimeInterval(-800 * 86_400)
    let clients = try DevelopmentAuthority.make(now: then)
    let judge = try ClientCertificates(
      authorities: NIOSSLCertificate.fromPEMBytes(Array(clients.identity.certificatePEM.utf8)), isRequired: false)
    let expired = try clients.issue(for: ["client.test"], now: then)
    let der = try NIOSSLCertificate.fromPEMBytes(Array(expired.certificatePEM.utf8))[0].toDERBytes()
    #expect(await judge.judge([der]) == .certificateExpired)
    #expect(await judge.judge([[0x30, 0x00]]) == .badCertificate)
    #expect(await judge.judge([]) == .certificateMissing)
  }

  @Test func aRequiredCertificateDecidesAboutTheHandshake() async throws {
    let clients = try DevelopmentAuthority.make(now: Date())
    let scene = try TLSScene(clients: clients, isRequired: true)
    let good = try clients.issue(for: ["client.test"], now: Date())
    let stranger = try DevelopmentAuthority.make(now: Date()).issue(for: ["client.test"], now: Date())
    #expect(try await facts(scene, scene.client(good))?.clientVerification == .ok)
    try await withEdge(at: secure, tls: scene.edge, answering: { _, responder, _ in responder.reply("x") }) { edge in
      for client in [try scene.client(), try scene.client(stranger)] {
        let response = try await edge.exchange(get, tls: client)
        #expect(response == "")
      }
    }
  }
}
