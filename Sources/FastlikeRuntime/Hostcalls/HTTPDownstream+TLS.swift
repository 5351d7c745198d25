import ComputeABI

/// What the client's TLS and HTTP/2 tell of it, for both generations of hostcalls. What the configuration says counts more
/// than the connection; a fact that neither has is `none`.
extension Sandbox {
  /// One of the facts, as bytes.
  private enum ClientFact {
    case http2Fingerprint
    case headerOrderFingerprint
    case cipher
    case protocolName
    case clientHello
    case certificate
    case serverName
    case ja3
    case ja4
  }

  private func write(_ fact: ClientFact, of request: DownstreamRequest, to output: GuestOutput) throws(Status) {
    guard let bytes = value(of: fact, request.connection) else { throw .none }
    try output.write(bytes)
  }

  private func value(of fact: ClientFact, _ connection: DownstreamConnection) -> [UInt8]? {
    let (facts, tls) = (service.configuration.downstream, connection.tls)
    switch fact {
    case .http2Fingerprint: return (facts.http2Fingerprint ?? connection.http2Fingerprint).map { Array($0.utf8) }
    case .headerOrderFingerprint: return facts.headerOrderFingerprint.map { Array($0.utf8) }
    case .cipher:
      return (facts.tls.cipher ?? tls?.cipherSuite.flatMap(TLSCipherSuiteName.openSSL)).map { Array($0.utf8) }
    case .protocolName: return (facts.tls.protocolName ?? tls?.protocolName).map { Array($0.utf8) }
    case .clientHello: return helloBytes(connection)
    case .certificate: return (facts.tls.clientCertificate ?? tls?.clientCertificate).map { Array($0.utf8) }
    case .serverName: return facts.tls.serverName.map { Array($0.utf8) } ?? hello(connection)?.serverName
    case .ja3: return facts.tls.ja3Digest ?? hello(connection)?.ja3Digest
    case .ja4: return (facts.tls.ja4 ?? hello(connection)?.ja4).map { Array($0.utf8) }
    }
  }

  private func helloBytes(_ connection: DownstreamConnection) -> [UInt8]? {
    if let configured = service.configuration.downstream.tls.clientHello { return configured }
    return connection.tls.flatMap { $0.clientHello.isEmpty ? nil : $0.clientHello }
  }

  /// Read when it is asked for, because few guests do.
  private func hello(_ connection: DownstreamConnection) -> ClientHello? {
    helloBytes(connection).flatMap { ClientHello($0) }
  }

  private func verification(of request: DownstreamRequest) throws(Status) -> ClientCertVerifyResult {
    let configured = service.configuration.downstream.tls.clientVerification
    guard let result = configured ?? request.connection.tls?.clientVerification else { throw .none }
    return result
  }

  // MARK: fastly_http_downstream

  func httpDownstreamDownstreamClientH2Fingerprint(req: RequestHandle, h2fp: GuestOutput) throws(Status) {
    try write(.http2Fingerprint, of: try downstream(req), to: h2fp)
  }

  func httpDownstreamDownstreamClientOhFingerprint(req: RequestHandle, ohfp: GuestOutput) throws(Status) {
    try write(.headerOrderFingerprint, of: try downstream(req), to: ohfp)
  }

  func httpDownstreamDownstreamTLSCipherOpensslName(req: RequestHandle, cipher: GuestOutput) throws(Status) {
    try write(.cipher, of: try downstream(req), to: cipher)
  }

  func httpDownstreamDownstreamTLSProtocol(req: RequestHandle, tlsProtocol: GuestOutput) throws(Status) {
    try write(.protocolName, of: try downstream(req), to: tlsProtocol)
  }

  func httpDownstreamDownstreamTLSClientHello(req: RequestHandle, chello: GuestOutput) throws(Status) {
    try write(.clientHello, of: try downstream(req), to: chello)
  }

  func httpDownstreamDownstreamTLSRawClientCertificate(req: RequestHandle, rawClientCert: GuestOutput) throws(Status) {
    try write(.certificate, of: try downstream(req), to: rawClientCert)
  }

  func httpDownstreamDownstreamTLSClientCertVerifyResult(req: RequestHandle) throws(Status) -> ClientCertVerifyResult {
    try verification(of: try downstream(req))
  }

  func httpDownstreamDownstreamTLSClientServername(req: RequestHandle, tlsSNI: GuestOutput) throws(Status) {
    try write(.serverName, of: try downstream(req), to: tlsSNI)
  }

  func httpDownstreamDownstreamTLSJA3Md5(req: RequestHandle, cja3Md5: GuestOutput) throws(Status) {
    try write(.ja3, of: try downstream(req), to: cja3Md5)
  }

  func httpDownstreamDownstreamTLSJA4(req: RequestHandle, ja4: GuestOutput) throws(Status) {
    try write(.ja4, of: try downstream(req), to: ja4)
  }

  // MARK: fastly_http_req

  func httpReqDownstreamClientH2Fingerprint(h2fp: GuestOutput) throws(Status) {
    try write(.http2Fingerprint, of: request, to: h2fp)
  }

  func httpReqDownstreamClientOhFingerprint(ohfp: GuestOutput) throws(Status) {
    try write(.headerOrderFingerprint, of: request, to: ohfp)
  }

  func httpReqDownstreamTLSCipherOpensslName(cipher: GuestOutput) throws(Status) {
    try write(.cipher, of: request, to: cipher)
  }

  func httpReqDownstreamTLSProtocol(tlsProtocol: GuestOutput) throws(Status) {
    try write(.protocolName, of: request, to: tlsProtocol)
  }

  func httpReqDownstreamTLSClientHello(chello: GuestOutput) throws(Status) {
    try write(.clientHello, of: request, to: chello)
  }

  func httpReqDownstreamTLSRawClientCertificate(rawClientCert: GuestOutput) throws(Status) {
    try write(.certificate, of: request, to: rawClientCert)
  }

  func httpReqDownstreamTLSClientCertVerifyResult() throws(Status) -> ClientCertVerifyResult {
    try verification(of: request)
  }

  func httpReqDownstreamTLSClientServername(tlsSNI: GuestOutput) throws(Status) {
    try write(.serverName, of: request, to: tlsSNI)
  }

  func httpReqDownstreamTLSJA3Md5(cja3Md5: GuestOutput) throws(Status) { try write(.ja3, of: request, to: cja3Md5) }

  func httpReqDownstreamTLSJA4(ja4: GuestOutput) throws(Status) { try write(.ja4, of: request, to: ja4) }
}
