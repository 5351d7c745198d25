import ComputeABI

/// What the client's TLS and HTTP/2 tell of it, for both generations of hostcalls. A fact that the connection does not
/// have is `none`.
extension Sandbox {
  /// One of the facts, as bytes.
  private enum ClientFact {
    case http2Fingerprint
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
    let tls = connection.tls
    switch fact {
    case .http2Fingerprint: return connection.http2Fingerprint.map { Array($0.utf8) }
    case .cipher: return tls?.cipherSuite.flatMap(TLSCipherSuiteName.openSSL).map { Array($0.utf8) }
    case .protocolName: return tls?.protocolName.map { Array($0.utf8) }
    case .clientHello: return tls.flatMap { $0.clientHello.isEmpty ? nil : $0.clientHello }
    case .certificate: return tls?.clientCertificate.map { Array($0.utf8) }
    case .serverName: return hello(tls)?.serverName
    case .ja3: return hello(tls)?.ja3Digest
    case .ja4: return hello(tls).map { Array($0.ja4.utf8) }
    }
  }

  /// Read when it is asked for, because few guests do.
  private func hello(_ tls: DownstreamTLS?) -> ClientHello? { tls.flatMap { ClientHello($0.clientHello) } }

  private func verification(of request: DownstreamRequest) throws(Status) -> ClientCertVerifyResult {
    guard let result = request.connection.tls?.clientVerification else { throw .none }
    return result
  }

  // MARK: fastly_http_downstream

  func httpDownstreamDownstreamClientH2Fingerprint(req: RequestHandle, h2fp: GuestOutput) throws(Status) {
    try write(.http2Fingerprint, of: try downstream(req), to: h2fp)
  }

  /// The order of a client's header fields has a fingerprint on the platform alone.
  func httpDownstreamDownstreamClientOhFingerprint(req: RequestHandle, ohfp: GuestOutput) throws(Status) {
    _ = try downstream(req)
    throw .none
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

  func httpReqDownstreamClientOhFingerprint(ohfp: GuestOutput) throws(Status) { throw .none }

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
