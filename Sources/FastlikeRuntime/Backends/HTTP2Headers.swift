import ComputeABI
import NIOHPACK

/// Header blocks of HTTP/2 to and from the heads that the rest of the program knows (RFC 9113 §8).
///
/// NIO's header type holds text, so that bytes which are not UTF-8 cannot be sent or read over HTTP/2; a request with such
/// a field fails, and a response with one is taken as malformed.
enum HTTP2Headers {
  /// Fields that belong to a connection of HTTP/1.1 and must not be sent (RFC 9113 §8.2.2).
  private static let connectionFields = [
    "connection", "host", "http2-settings", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
  ]

  /// The block of a request: pseudo fields first, then the fields with their names in lower case.
  ///
  /// `Host` becomes `:authority`. Of `TE` only `trailers` is left, which is what gRPC needs.
  ///
  /// - Throws: ``SendError/Tag/httpRequestURIInvalid`` for a target, ``SendError/Tag/internalError`` for a method,
  ///   ``SendError/Tag/httpProtocolError`` for a field that HTTP/2 cannot carry.
  static func request(_ head: RequestHead, usesTLS: Bool) throws(SendError) -> HPACKHeaders {
    guard WireSyntax.isToken(head.method.utf8) else { throw SendError(.internalError) }
    guard !head.uri.isEmpty, head.uri.utf8.allSatisfy(WireSyntax.isTargetByte) else {
      throw SendError(.httpRequestURIInvalid)
    }
    var block = HPACKHeaders()
    block.reserveCapacity(head.headers.count + 4)
    block.add(name: ":method", value: head.method)
    block.add(name: ":scheme", value: usesTLS ? "https" : "http")
    block.add(name: ":authority", value: head.headers.first("host") ?? "")
    block.add(name: ":path", value: head.uri)
    try add(head.headers, to: &block)
    return block
  }

  /// The block of trailers.
  ///
  /// - Throws: ``SendError/Tag/httpProtocolError`` for a field that HTTP/2 cannot carry.
  static func trailers(_ trailers: HeaderList) throws(SendError) -> HPACKHeaders {
    var block = HPACKHeaders()
    try add(trailers, to: &block)
    return block
  }

  private static func add(_ headers: HeaderList, to block: inout HPACKHeaders) throws(SendError) {
    for index in 0..<headers.count {
      let raw = headers.name(at: index)
      let name = String(decoding: raw.map(asciiLowercased), as: UTF8.self)
      guard !connectionFields.contains(name) else { continue }
      guard WireSyntax.isToken(raw), let value = headers.value(at: index).withUnsafeBytes({ String(validUTF8: $0) }),
        value.utf8.allSatisfy(WireSyntax.isFieldValueByte)
      else { throw SendError(.httpProtocolError) }
      if name == "te" {
        let asksForTrailers = value.split(separator: ",").contains {
          WireSyntax.equalIgnoringCase(WireSyntax.trimmed(Array($0.utf8)[...]), "trailers".utf8)
        }
        if asksForTrailers { block.add(name: name, value: "trailers") }
      } else {
        block.add(name: name, value: value)
      }
    }
  }

  /// The head that a block stands for; nil where it has no valid status.
  static func response(_ block: HPACKHeaders) -> ResponseHead? {
    guard let text = block.first(name: ":status"), text.utf8.count == 3, let status = UInt16(text),
      (100...999).contains(status)
    else { return nil }
    return ResponseHead(status: status, version: .h2, headers: fields(of: block))
  }

  /// The fields of a block without its pseudo fields.
  static func fields(of block: HPACKHeaders) -> HeaderList {
    var headers = HeaderList()
    for (name, value, _) in block where !name.hasPrefix(":") { headers.append(name, value) }
    return headers
  }

  /// Bytes of names and values before compression: what the trace counts as the size of a head.
  static func byteCount(of block: HPACKHeaders) -> Int {
    block.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
  }
}
