import ComputeABI
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// The part of a backend's definition that makes a TLS context; backends that agree in it share the context.
struct TLSSettings: Hashable, Sendable {
  private let certificateAuthoritiesPEM: [String]
  private let clientCertificate: ClientCertificate?
  private let minimumVersion: TLSVersionTag?
  private let maximumVersion: TLSVersionTag?
  private let ciphers: String?
  private let offersHTTP2: Bool

  init(_ backend: BackendDefinition) {
    certificateAuthoritiesPEM = backend.certificateAuthoritiesPEM
    clientCertificate = backend.clientCertificate
    minimumVersion = backend.minimumTLSVersion
    maximumVersion = backend.maximumTLSVersion
    ciphers = backend.ciphers
    offersHTTP2 = backend.speaksHTTP2
  }

  /// Makes the context; reads the system's roots from disk and parses them, which takes milliseconds.
  ///
  /// - Throws: ``SendError/Tag/tlsConfigurationError`` for PEM text, versions or ciphers that cannot be used.
  func makeContext() throws(SendError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    // The name is checked by `TLSHandshakeHandler`, because NIOSSL would check the one sent as SNI.
    configuration.certificateVerification = .noHostnameVerification
    configuration.shutdownTimeout = .seconds(1)
    if offersHTTP2 { configuration.applicationProtocols = ["h2"] }
    let maximum = maximumVersion ?? .tls13
    let minimum = minimumVersion ?? (maximum.rawValue < TLSVersionTag.tls12.rawValue ? maximum : .tls12)
    guard minimum.rawValue <= maximum.rawValue else { throw SendError(.tlsConfigurationError) }
    configuration.minimumTLSVersion = minimum.nioVersion
    configuration.maximumTLSVersion = maximum.nioVersion
    if let ciphers, let chosen = try TLSCipherList.ciphers(in: ciphers) { configuration.cipherSuiteValues = chosen }
    do {
      if !certificateAuthoritiesPEM.isEmpty {
        let roots = try certificateAuthoritiesPEM.flatMap { try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)) }
        guard !roots.isEmpty else { throw SendError(.tlsConfigurationError) }
        configuration.trustRoots = .certificates(roots)
      }
      if let clientCertificate {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(clientCertificate.certificatePEM.utf8))
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(
          try NIOSSLPrivateKey(bytes: Array(clientCertificate.keyPEM.utf8), format: .pem))
      }
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw SendError(.tlsConfigurationError)
    }
  }
}

extension TLSVersionTag {
  fileprivate var nioVersion: NIOSSL.TLSVersion {
    switch self {
    case .tls10: .tlsv1
    case .tls11: .tlsv11
    case .tls12: .tlsv12
    case .tls13: .tlsv13
    }
  }
}

/// Keeps one TLS context for each set of settings; confined to its event loop, makes contexts on the thread pool.
final class TLSContextCache {
  private let eventLoop: any EventLoop
  private let threadPool: NIOThreadPool
  private var contexts: [TLSSettings: NIOSSLContext] = [:]
  private static let maximumContexts = 256

  init(eventLoop: any EventLoop, threadPool: NIOThreadPool) {
    self.eventLoop = eventLoop
    self.threadPool = threadPool
  }

  /// Gives the context at once where it was made before. A failure is not remembered.
  func withContext(for settings: TLSSettings, _ body: @escaping (Result<NIOSSLContext, SendError>) -> Void) {
    if let context = contexts[settings] { return body(.success(context)) }
    threadPool.runIfActive(eventLoop: eventLoop) { try settings.makeContext() }
      .assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success(let context):
          let shared = self.contexts[settings] ?? context
          // Guests choose settings too; the oldest is not known, so the cache begins anew.
          if self.contexts.count >= Self.maximumContexts { self.contexts.removeAll() }
          self.contexts[settings] = shared
          body(.success(shared))
        case .failure(let error): body(.failure(SendError(from: error)))
        }
      }
  }
}

/// Waits for the TLS handshake and checks that the certificate is the backend's.
final class TLSHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let certificateName: String
  private var completion: ((Result<String?, SendError>) -> Void)?

  /// - Parameters:
  ///   - certificateName: DNS name or IP literal that the certificate has to bear.
  ///   - completion: Called once, with the protocol that ALPN chose, if any.
  init(certificateName: String, completion: @escaping (Result<String?, SendError>) -> Void) {
    self.certificateName = certificateName
    self.completion = completion
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
      let isGenuine = (try? context.pipeline.syncOperations.nioSSL_peerCertificate())??.bears(certificateName) ?? false
      complete(isGenuine ? .success(negotiated) : .failure(SendError(.tlsCertificateError)))
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    complete(.failure(SendError(from: error)))
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    complete(.failure(SendError(.connectionTerminated)))
    context.fireChannelInactive()
  }

  private func complete(_ result: Result<String?, SendError>) {
    let completion = completion
    self.completion = nil
    completion?(result)
  }
}

extension NIOSSLCertificate {
  /// Whether a subject alternative name of the certificate is this DNS name or IP address.
  fileprivate func bears(_ name: String) -> Bool {
    let names = _subjectAlternativeNames()
    if let address = IPAddress(name) {
      return names.contains { $0.nameType == .ipAddress && $0.contents.elementsEqual(address.octets) }
    }
    return names.contains {
      $0.nameType == .dnsName && CertificateName.matches(pattern: Array($0.contents), name: name)
    }
  }
}
