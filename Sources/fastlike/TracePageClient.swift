import FastlikeProfile
import FastlikeRuntime
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a profile page: one connection and one request at a time, without redirections and proxies.
struct TracePageClient: Sendable, Equatable {
  struct Answer: Sendable {
    let status: UInt
    let body: [UInt8]
  }

  /// A name or a literal without brackets.
  let host: String
  let port: Int
  /// Empty for none.
  let token: String

  /// How long connecting may take.
  private static let connectTimeout = TimeAmount.seconds(5)
  /// How long one answer may take altogether.
  private static let answerTimeout = TimeAmount.seconds(60)
  /// The same for one to a file that is sent.
  private static let uploadTimeout = TimeAmount.minutes(15)
  private static let pieceBytes = 1 << 18

  private var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The page as it is named in errors.
  var name: String { "http://" + authority }

  /// Reads `http://HOST:PORT` or `HOST:PORT`. An address that stands for every interface means this machine.
  ///
  /// What is thrown does not repeat the text: it may hold a password.
  static func address(_ text: String, place: String) throws -> (host: String, port: Int) {
    let error = ConfigurationError(place: place, problem: "is no page's address; write http://HOST:PORT")
    var rest = text[...]
    if let scheme = text.firstRange(of: "://") {
      guard text[..<scheme.lowerBound].lowercased() == "http" else { throw error }
      rest = text[scheme.upperBound...]
    }
    if rest.last == "/" { rest = rest.dropLast() }
    guard case .tcp(let host, let port)? = try? FlagValues.pageAddress(String(rest), flag: place), port > 0 else {
      throw error
    }
    switch host {
    case "", "0.0.0.0": return ("127.0.0.1", Int(port))
    case "::": return ("::1", Int(port))
    default: return (host, Int(port))
    }
  }

  /// - Throws: ``TraceSourceError`` when there is no whole answer. A status that tells of an error is none.
  func get(_ path: String) async throws -> Answer {
    try await exchange(within: Self.answerTimeout) { outbound in
      try await outbound.write(.head(head(.GET, path)))
      try await outbound.write(.end(nil))
    }
  }

  /// Asks for something to be done, without a body.
  func post(_ path: String) async throws -> Answer {
    var head = head(.POST, path)
    head.headers.add(name: "content-length", value: "0")
    let request = head
    return try await exchange(within: Self.answerTimeout) { outbound in
      try await outbound.write(.head(request))
      try await outbound.write(.end(nil))
    }
  }

  /// Sends a file.
  /// - Throws: ``TraceSourceError`` also when the file cannot be read.
  func post(_ path: String, file: String) async throws -> Answer {
    guard let handle = FileHandle(forReadingAtPath: file), let length = try? handle.seekToEnd(),
      (try? handle.seek(toOffset: 0)) != nil
    else { throw TraceSourceError.unreadable(file, reason: "cannot be read") }
    defer { try? handle.close() }
    var head = head(.POST, path)
    head.headers.add(name: "content-type", value: "application/octet-stream")
    head.headers.add(name: "content-length", value: "\(length)")
    let request = head
    return try await exchange(within: Self.uploadTimeout) { outbound in
      // A server that refuses answers and closes before it has read all: the answer counts.
      do {
        try await outbound.write(.head(request))
        while let piece = try handle.read(upToCount: Self.pieceBytes), !piece.isEmpty {
          try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: piece))))
        }
        try await outbound.write(.end(nil))
      } catch {}
    }
  }

  private func exchange(
    within timeout: TimeAmount, _ send: (NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>) async throws -> Void
  ) async throws -> Answer {
    let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
    do {
      channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connectTimeout(Self.connectTimeout)
        .connect(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
              wrappingChannelSynchronously: channel)
          }
        }
    } catch {
      throw TraceSourceError.unreachable(name)
    }
    let connection = channel.channel
    let deadline = connection.eventLoop.scheduleTask(in: timeout) { connection.close(promise: nil) }
    defer { deadline.cancel() }
    do {
      let answer = try await channel.executeThenClose { inbound, outbound in
        try await send(outbound)
        return try await Self.read(inbound)
      }
      guard let answer else { throw TraceSourceError.cutAnswer(name) }
      return answer
    } catch let error as TraceSourceError {
      throw error
    } catch {
      throw TraceSourceError.cutAnswer(name)
    }
  }

  private func head(_ method: HTTPMethod, _ path: String) -> HTTPRequestHead {
    var headers = HTTPHeaders([("host", authority), ("connection", "close")])
    if !token.isEmpty { headers.add(name: "authorization", value: "Bearer \(token)") }
    return HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
  }

  /// nil when the response ends before its end, or is larger than any trace that is read.
  private static func read(_ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>) async throws -> Answer? {
    var status: UInt = 0
    var body: [UInt8] = []
    for try await part in inbound {
      switch part {
      case .head(let head): status = head.status.code
      case .body(let bytes):
        guard body.count + bytes.readableBytes <= NativeJSONDecoder.defaultLimit else { return nil }
        body.append(contentsOf: bytes.readableBytesView)
      case .end: return Answer(status: status, body: body)
      }
    }
    return nil
  }
}
