/// The fields that both sides of HPACK know beforehand (RFC 7541 Appendix A); the first one has index 1.
enum HPACKStaticTable {
  static let fields: [(name: [UInt8], value: [UInt8])] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""), ("etag", ""),
    ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""), ("if-modified-since", ""),
    ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""),
    ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""), ("vary", ""), ("via", ""),
    ("www-authenticate", ""),
  ].map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) }

  static let contentLength = 28
  static let contentType = 31
  static let date = 33

  /// The index of `:status` with one of the values that have an index.
  static func index(ofStatus status: UInt16) -> UInt8? {
    switch status {
    case 200: 8
    case 204: 9
    case 206: 10
    case 304: 11
    case 400: 12
    case 404: 13
    case 500: 14
    default: nil
    }
  }

  /// The index of the `:status` name.
  static let status = 8
}
