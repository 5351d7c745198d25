/// Scheme, host and path of a URL. User, query and fragment are dropped where it is made, so no trace can hold them.
public struct RedactedURL: Sendable, Hashable, CustomStringConvertible {
  /// Paths longer than this many bytes are cut.
  public static let maximumPathBytes = 2048
  /// Hosts longer than this many bytes are cut.
  public static let maximumHostBytes = 260

  /// In lower case; empty for a path alone.
  public let scheme: String
  /// Host with port, if any; IPv6 addresses in brackets. Empty for a path alone.
  public let host: String
  /// The path, percent-encoded as it came.
  public let path: String

  /// No URL.
  public init() {
    scheme = ""
    host = ""
    path = ""
  }

  /// One that was made before, from its parts.
  init(keptScheme scheme: String, host: String, path: String) {
    self.scheme = scheme
    self.host = host
    self.path = path
  }

  /// Keeps scheme, host and path of the text: an absolute URL, `//host/path`, `/path`, `host:port` or `*`.
  /// Text that is none of these may hold anything, and nothing is kept of it.
  public init(_ text: String) {
    var bytes = text
    self = bytes.withUTF8 {
      // What clients send most is a plain path, which is kept as the text that it is.
      Self.isPlainPath($0) ? Self(keptScheme: "", host: "", path: text) : Self(parsing: $0)
    }
  }

  /// Whether the text is a path of which nothing is to be dropped, cut or changed; false where that is not known.
  static func isPlainPath(_ text: String) -> Bool {
    text.utf8.withContiguousStorageIfAvailable(isPlainPath) ?? false
  }

  /// Whether the bytes are a path of which nothing is to be dropped, cut or changed.
  private static func isPlainPath(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count <= maximumPathBytes, bytes.first == UInt8(ascii: "/") else { return false }
    guard bytes.count == 1 || bytes[1] != UInt8(ascii: "/") else { return false }
    // A loop and no closure: each request comes by.
    for byte in bytes where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") {
      return false
    }
    return true
  }

  /// Keeps a request's parts as a server has them.
  /// - Parameter path: With or without query, or any other form of request target: of an absolute one its path counts.
  public init(scheme: String, host: String, path target: String) {
    var authority = host
    var text = target
    self.scheme = Self.scheme(scheme.utf8[...]) ?? ""
    self.host = authority.withUTF8 { Self.host($0[...]) }
    // A target that starts with a slash is a path, even when a second one follows.
    let path = target.utf8.first == UInt8(ascii: "/") ? text.withUTF8 { Self.path($0[...]) } : RedactedURL(target).path
    // Without a host, two slashes would be read back as the start of one.
    self.path = self.host.isEmpty && path.hasPrefix("//") ? "/" + path.drop { $0 == "/" } : path
  }

  private init(parsing bytes: UnsafeBufferPointer<UInt8>) {
    let end = bytes.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? bytes.endIndex
    let kept = bytes[..<end]
    if let colon = kept.firstIndex(of: UInt8(ascii: ":")), kept[colon...].starts(with: "://".utf8),
      let scheme = Self.scheme(kept[..<colon])
    {
      self.init(scheme: scheme, hierarchy: kept[(colon + 3)...])
    } else if kept.starts(with: "//".utf8) {
      self.init(scheme: "", hierarchy: kept.dropFirst(2))
    } else if kept.first == UInt8(ascii: "/") {
      self.init(scheme: "", hierarchy: kept)
    } else if Self.isHostAndPort(kept) {
      self.init(scheme: "", hierarchy: kept)
    } else if kept.elementsEqual("*".utf8) {
      self.init(asterisk: ())
    } else {
      self.init()
    }
  }

  private init(asterisk: Void) {
    scheme = ""
    host = ""
    path = "*"
  }

  private init(scheme: String, hierarchy: Slice<UnsafeBufferPointer<UInt8>>) {
    let slash = hierarchy.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") } ?? hierarchy.endIndex
    self.scheme = scheme
    host = Self.host(hierarchy[..<slash])
    path = Self.path(hierarchy[slash...])
  }

  private static func scheme(_ bytes: some Collection<UInt8>) -> String? {
    guard let first = bytes.first, isLetter(first), bytes.count <= 32 else { return nil }
    guard bytes.allSatisfy({ isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }) else { return nil }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }

  private static func host(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
    var kept = bytes
    if let at = kept.lastIndex(of: UInt8(ascii: "@")) { kept = kept[kept.index(after: at)...] }
    if let end = kept.firstIndex(where: { "/\\?#".utf8.contains($0) }) { kept = kept[..<end] }
    return PrintableText.bounded(kept, to: maximumHostBytes)
  }

  private static func path(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String {
    let end = bytes.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? bytes.endIndex
    return PrintableText.bounded(bytes[..<end], to: maximumPathBytes)
  }

  /// `host:port` as in a CONNECT request. `user:secret@host` and `scheme:opaque` do not pass.
  private static func isHostAndPort(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex else { return false }
    let port = bytes[(colon + 1)...]
    guard !port.isEmpty, port.count <= 5, port.allSatisfy(isDigit) else { return false }
    return bytes[..<colon].allSatisfy { isLetter($0) || isDigit($0) || "-._[]:".utf8.contains($0) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// `scheme://host/path`, without the parts that are empty.
  public var description: String {
    if scheme.isEmpty { return host.isEmpty ? path : "//" + host + path }
    return scheme + "://" + host + path
  }
}
