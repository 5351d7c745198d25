import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Asks for one page and reads it to its end; enough of a client for the demo to visit itself.
struct DemoClient {
  let host: String
  let port: Int
  /// The edge that is asked is this process itself, so nobody has to prove who it is.
  let tls: NIOSSLContext?

  init(host: String, port: Int, isSecure: Bool) {
    self.host = host
    self.port = port
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    tls = isSecure ? try? NIOSSLContext(configuration: configuration) : nil
  }

  /// The response's status once all of it is here; nil when there was none.
  func status(of path: String) async -> UInt? {
    do {
      let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            if let tls {
              try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
            }
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
              wrappingChannelSynchronously: channel)
          }
        }
      return try await channel.executeThenClose { inbound, outbound in
        let headers = HTTPHeaders([("host", "\(host):\(port)"), ("connection", "close")])
        try await outbound.write(
          .head(HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)))
        try await outbound.write(.end(nil))
        var status: UInt?
        for try await part in inbound {
          switch part {
          case .head(let head): status = head.status.code
          case .body: continue
          case .end: return status
          }
        }
        return nil
      }
    } catch {
      return nil
    }
  }
}
