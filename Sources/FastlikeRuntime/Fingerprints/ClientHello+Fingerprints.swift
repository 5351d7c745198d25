import Crypto

/// What tells one make of client from another: JA3 (Salesforce, 2017) and JA4 (FoxIO, 2023).
extension ClientHello {
  /// Whether a number is one that clients put in so that servers learn to pass over what they do not know (RFC 8701).
  static func isGREASE(_ number: UInt16) -> Bool { number & 0x0F0F == 0x0A0A && number >> 8 == number & 0xFF }

  private static func known(_ numbers: [UInt16]) -> [UInt16] { numbers.filter { !isGREASE($0) } }

  // MARK: JA3

  /// The version, ciphers, extensions, groups and point formats as numbers, without GREASE.
  public var ja3: String {
    let lists = [cipherSuites, extensions, supportedGroups].map { Self.known($0).map(String.init) }
    let all = lists + [pointFormats.map(String.init)]
    return ([String(legacyVersion)] + all.map { $0.joined(separator: "-") }).joined(separator: ",")
  }

  /// The 16 bytes of the MD5 of ``ja3``.
  public var ja3Digest: [UInt8] { Array(Insecure.MD5.hash(data: Array(ja3.utf8))) }

  // MARK: JA4

  /// As in `t13d1516h2_8daaf6152771_e5627efa2ab1`.
  public var ja4: String {
    let ciphers = Self.known(cipherSuites)
    let extensions = Self.known(extensions)
    let named = extensions.contains(0) ? "d" : "i"
    let counts = [ciphers, extensions].map { Self.twoDigits($0.count) }.joined()
    return "t\(versionMark)\(named)\(counts)\(protocolMark)_\(cipherDigest(ciphers))_\(extensionDigest(extensions))"
  }

  private static func twoDigits(_ number: Int) -> String {
    let number = min(number, 99)
    return number < 10 ? "0\(number)" : "\(number)"
  }

  private var versionMark: String {
    switch Self.known(supportedVersions).max() ?? legacyVersion {
    case 0x0304: "13"
    case 0x0303: "12"
    case 0x0302: "11"
    case 0x0301: "10"
    case 0x0300: "s3"
    case 0x0002: "s2"
    default: "00"
    }
  }

  /// The first and last character of the first protocol; of one whose ends are not letters or digits, those of its
  /// bytes in hexadecimal.
  private var protocolMark: String {
    guard let name = firstProtocol, let first = name.first, let last = name.last else { return "00" }
    if Self.isAlphanumeric(first), Self.isAlphanumeric(last) { return String(decoding: [first, last], as: UTF8.self) }
    return String(Self.hexadecimal(first).prefix(1) + Self.hexadecimal(last).suffix(1))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  private func cipherDigest(_ ciphers: [UInt16]) -> String {
    ciphers.isEmpty ? Self.emptyDigest : Self.digest(Self.list(ciphers.sorted()))
  }

  /// The extensions in the order of their numbers, because clients shuffle them, without host name and protocols, which
  /// depend on the server; then the signature algorithms in the client's order.
  private func extensionDigest(_ extensions: [UInt16]) -> String {
    guard !extensions.isEmpty else { return Self.emptyDigest }
    let sorted = extensions.filter { $0 != 0x0000 && $0 != 0x0010 }.sorted()
    let algorithms = Self.known(signatureAlgorithms)
    return Self.digest(Self.list(sorted) + (algorithms.isEmpty ? "" : "_" + Self.list(algorithms)))
  }

  private static let emptyDigest = "000000000000"

  private static func list(_ numbers: [UInt16]) -> String {
    numbers.map { hexadecimal(UInt8($0 >> 8)) + hexadecimal(UInt8($0 & 0xFF)) }.joined(separator: ",")
  }

  private static func digest(_ text: String) -> String {
    SHA256.hash(data: Array(text.utf8)).prefix(6).map(hexadecimal).joined()
  }

  private static func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
  }
}
