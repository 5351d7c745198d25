/// A client's first handshake message (RFC 8446 §4.1.2), as far as it tells of the client; pure.
public struct ClientHello: Sendable, Equatable {
  /// The version field, which newer clients leave at TLS 1.2.
  public var legacyVersion: UInt16
  /// In the client's order, GREASE included, as are the following.
  public var cipherSuites: [UInt16]
  /// The types of the extensions.
  public var extensions: [UInt16] = []
  /// The host name that the client asks for.
  public var serverName: [UInt8]?
  public var supportedVersions: [UInt16] = []
  public var supportedGroups: [UInt16] = []
  public var pointFormats: [UInt8] = []
  public var signatureAlgorithms: [UInt16] = []
  /// The first protocol that the client offers (ALPN).
  public var firstProtocol: [UInt8]?

  private enum ExtensionType {
    static let serverName: UInt16 = 0
    static let supportedGroups: UInt16 = 10
    static let pointFormats: UInt16 = 11
    static let signatureAlgorithms: UInt16 = 13
    static let applicationProtocols: UInt16 = 16
    static let supportedVersions: UInt16 = 43
  }

  /// Reads a message with its type and length.
  ///
  /// - Returns: nil where it is not a complete `ClientHello`. An extension whose content is damaged counts by its type.
  public init?(_ message: [UInt8]) {
    var reader = TLSReader(message[...])
    guard reader.byte() == 1, let length = reader.integer(bytes: 3), var body = reader.take(length) else { return nil }
    guard let version = body.word(), body.take(32) != nil, body.vector(lengthBytes: 1) != nil,
      let suites = body.vector(lengthBytes: 2), body.vector(lengthBytes: 1) != nil
    else { return nil }
    legacyVersion = version
    cipherSuites = suites.words
    guard !body.isEmpty else { return }
    guard var list = body.vector(lengthBytes: 2) else { return nil }
    while !list.isEmpty {
      guard let type = list.word(), let content = list.vector(lengthBytes: 2) else { return nil }
      extensions.append(type)
      read(type, content)
    }
  }

  private mutating func read(_ type: UInt16, _ content: TLSReader) {
    var content = content
    switch type {
    case ExtensionType.serverName:
      // The only kind of name there is has the number 0 (RFC 6066 §3).
      guard var names = content.vector(lengthBytes: 2), names.byte() == 0 else { return }
      serverName = names.vector(lengthBytes: 2).map { Array($0.bytes) }
    case ExtensionType.supportedGroups: supportedGroups = content.vector(lengthBytes: 2)?.words ?? []
    case ExtensionType.pointFormats: pointFormats = content.vector(lengthBytes: 1).map { Array($0.bytes) } ?? []
    case ExtensionType.signatureAlgorithms: signatureAlgorithms = content.vector(lengthBytes: 2)?.words ?? []
    case ExtensionType.applicationProtocols:
      guard var protocols = content.vector(lengthBytes: 2) else { return }
      firstProtocol = protocols.vector(lengthBytes: 1).map { Array($0.bytes) }
    case ExtensionType.supportedVersions: supportedVersions = content.vector(lengthBytes: 1)?.words ?? []
    default: break
    }
  }
}

/// Reads the numbers and vectors of TLS (RFC 8446 §3).
private struct TLSReader {
  private(set) var bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  var isEmpty: Bool { bytes.isEmpty }

  /// All of it as numbers of two bytes; an odd byte at the end is left out.
  var words: [UInt16] {
    var rest = self
    var words: [UInt16] = []
    while let word = rest.word() { words.append(word) }
    return words
  }

  mutating func byte() -> UInt8? { bytes.popFirst() }

  mutating func word() -> UInt16? { integer(bytes: 2).map { UInt16($0) } }

  mutating func integer(bytes count: Int) -> Int? {
    guard bytes.count >= count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
  }

  mutating func take(_ count: Int) -> TLSReader? {
    guard bytes.count >= count else { return nil }
    defer { bytes = bytes.dropFirst(count) }
    return TLSReader(bytes.prefix(count))
  }

  mutating func vector(lengthBytes: Int) -> TLSReader? {
    guard let length = integer(bytes: lengthBytes) else { return nil }
    return take(length)
  }
}
