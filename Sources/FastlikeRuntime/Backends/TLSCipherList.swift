import ComputeABI
import NIOSSL

/// Reads OpenSSL cipher lists as far as they name ciphers.
///
/// BoringSSL is not given the text: NIOSSL ends the process for a list that leaves no cipher, and guests write these
/// lists. TLS 1.3 ciphers are always on, as in BoringSSL.
enum TLSCipherList {
  private static let known: [(name: String, cipher: NIOTLSCipher)] = [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES128-SHA", .TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
    ("ECDHE-RSA-AES128-SHA", .TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA),
    ("ECDHE-ECDSA-AES256-SHA", .TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA),
    ("ECDHE-RSA-AES256-SHA", .TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA),
    ("AES128-GCM-SHA256", .TLS_RSA_WITH_AES_128_GCM_SHA256),
    ("AES256-GCM-SHA384", .TLS_RSA_WITH_AES_256_GCM_SHA384),
    ("AES128-SHA", .TLS_RSA_WITH_AES_128_CBC_SHA),
    ("AES256-SHA", .TLS_RSA_WITH_AES_256_CBC_SHA),
  ]

  /// The TLS 1.2 ciphers that a list chooses, in its order.
  ///
  /// Names, a leading `!`, `-` or `+` with a name, and the words `ALL`, `DEFAULT`, `HIGH` and `SECURE` count; names that
  /// are not in BoringSSL are passed over, as OpenSSL does with unknown ones.
  ///
  /// - Returns: nil where the list is empty or speaks only of TLS 1.3, and so leaves the default.
  /// - Throws: ``SendError/Tag/tlsConfigurationError`` where no cipher is left.
  static func ciphers(in list: String) throws(SendError) -> [NIOTLSCipher]? {
    var chosen: [NIOTLSCipher] = []
    var banned: Set<NIOTLSCipher> = []
    var namesOthers = false
    let words = list.split { $0 == ":" || $0 == "," || $0 == " " || $0 == ";" }
    for word in words where !word.hasPrefix("TLS_AES_") && !word.hasPrefix("TLS_CHACHA20_") {
      namesOthers = true
      let isOperator = ["!", "-", "+"].contains(word.first)
      let matches = meaning(of: isOperator ? word.dropFirst() : word)
      switch word.first {
      case "!":
        banned.formUnion(matches)
        chosen.removeAll(where: matches.contains)
      case "-": chosen.removeAll(where: matches.contains)
      case "+":
        let moved = chosen.filter(matches.contains)
        chosen.removeAll(where: matches.contains)
        chosen += moved
      default: chosen += matches.filter { !chosen.contains($0) && !banned.contains($0) }
      }
    }
    if namesOthers, chosen.isEmpty { throw SendError(.tlsConfigurationError) }
    return chosen.isEmpty ? nil : chosen
  }

  private static func meaning(of word: Substring) -> [NIOTLSCipher] {
    if ["ALL", "DEFAULT", "HIGH", "SECURE"].contains(word) { return known.map(\.cipher) }
    return known.filter { $0.name == word }.map(\.cipher)
  }
}
