import Crypto

/// The 32 bytes under which responses to a URL are stored, and the surrogate key that stands for them.
struct HTTPCacheKey: Hashable, Sendable {
  static let byteCount = 32

  let bytes: [UInt8]

  /// Nil unless there are 32 bytes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == HTTPCacheKey.byteCount else { return nil }
    self.bytes = bytes
  }

  /// The suggested key: SHA-256 of the URL, scheme and host in lower case, without user, fragment and the scheme's own
  /// port. A URL without an authority takes that of `Host`.
  init(suggestedFor head: RequestHead) {
    bytes = Array(SHA256.hash(data: Array(HTTPCacheKey.normalized(head).utf8)))
  }

  /// The key as 64 hexadecimal digits. Stored responses have it among their surrogate keys, so that one URL can be purged.
  var surrogateKey: String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] { text.append(digit < 10 ? 0x30 + digit : 0x41 + digit - 10) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads a key written as 64 hexadecimal digits.
  init?(hexadecimal text: some Collection<UInt8>) {
    guard text.count == 2 * HTTPCacheKey.byteCount else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text {
      guard let digit = Character(UnicodeScalar(character)).hexDigitValue.map({ UInt8($0) }) else { return nil }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    self.bytes = bytes
  }

  static func normalized(_ head: RequestHead) -> String {
    let url = URLParts(head)
    var host = url.authority.lowercased()
    for (scheme, port) in [("http", ":80"), ("https", ":443")] where url.scheme == scheme && host.hasSuffix(port) {
      host.removeLast(port.count)
    }
    return "\(url.scheme)://\(host)\(url.path)\(url.query)"
  }

  /// The parts of a request's URL.
  struct URLParts {
    /// In lower case; `http` where the URL has none.
    var scheme = "http"
    /// Host and port.
    var authority = ""
    /// Begins with "/", or is "*".
    var path = "/"
    /// With its "?", or empty.
    var query = ""

    init(_ head: RequestHead) {
      var rest = head.uri.prefix { $0 != "#" }
      if !rest.hasPrefix("/"), let separator = rest.firstRange(of: "://") {
        scheme = rest[..<separator.lowerBound].lowercased()
        rest = rest[separator.upperBound...]
        let found = rest.prefix { $0 != "/" && $0 != "?" }
        rest = rest[found.endIndex...]
        authority = String(found[(found.lastIndex(of: "@").map { found.index(after: $0) } ?? found.startIndex)...])
      } else {
        authority = head.headers.first("host") ?? ""
      }
      let path = rest.prefix { $0 != "?" }
      query = String(rest[path.endIndex...])
      if !path.isEmpty { self.path = String(path) }
    }
  }
}
