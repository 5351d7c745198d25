import AsyncHTTPClient
import FastlikeProfile
import FastlikeRuntime
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends bodies over HTTP. Redirects are not followed: the header fields may be secrets.
final class HTTPPushTransport: PushTransport {
  private let client: HTTPClient
  private let options: TracePushOptions

  /// - Throws: ``ConfigurationError`` for certificates that cannot be read.
  init(_ options: TracePushOptions) throws {
    self.options = options
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout.connect = .nanoseconds(Self.nanoseconds(options.timeout))
    configuration.tlsConfiguration = try Self.tls(options)
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func send(_ body: [UInt8]) async throws -> PushAnswer {
    var request = HTTPClientRequest(url: options.endpoint)
    request.method = .POST
    request.headers.add(name: "content-type", value: options.format.contentType)
    request.headers.add(name: "user-agent", value: "fastlike/\(FastlikeVersion.current)")
    for header in options.headers { request.headers.add(name: header.name, value: header.value) }
    var sent = body
    if options.compresses, let compressed = GzipBody.compress(body) {
      request.headers.add(name: "content-encoding", value: "gzip")
      sent = compressed
    }
    request.body = .bytes(ByteBuffer(bytes: sent))
    let response = try await client.execute(request, timeout: .nanoseconds(Self.nanoseconds(options.timeout)))
    // What is longer tells nothing that is looked at.
    let answer = try? await response.body.collect(upTo: 1 << 16)
    return PushAnswer(
      status: Int(response.status.code),
      retryAfter: response.headers.first(name: "retry-after").flatMap { Int($0) }.map { .seconds($0) },
      body: answer.map { Array(buffer: $0) } ?? [])
  }

  func shutdown() async { try? await client.shutdown() }

  private static func nanoseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  private static func tls(_ options: TracePushOptions) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    do {
      if let file = options.certificateFile {
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
      }
      if let certificate = options.clientCertificateFile, let key = options.clientKeyFile {
        configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
      }
    } catch {
      throw ConfigurationError(
        place: "OTEL_EXPORTER_OTLP_CERTIFICATE",
        problem: "a certificate or key for pushing traces cannot be read as PEM")
    }
    return configuration
  }
}

/// Why a receiver gave no answer, in words.
enum PushFailure {
  static func reason(_ error: any Error) -> String {
    if let error = error as? HTTPClientError {
      switch error {
      case .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout: return "it does not answer in time"
      default: return "the connection failed (\(error.shortDescription))"
      }
    }
    if error is NIOConnectionError { return "it cannot be reached" }
    if error is CancellationError { return "there was no time left" }
    return "the connection failed"
  }
}
