/// The names that OpenSSL gives the cipher suites which the edge can agree upon.
enum TLSCipherSuiteName {
  /// The name of a suite by its IANA number; nil for one that is never agreed upon here.
  static func openSSL(_ suite: UInt16) -> String? {
    switch suite {
    case 0x1301: "TLS_AES_128_GCM_SHA256"
    case 0x1302: "TLS_AES_256_GCM_SHA384"
    case 0x1303: "TLS_CHACHA20_POLY1305_SHA256"
    case 0xC02B: "ECDHE-ECDSA-AES128-GCM-SHA256"
    case 0xC02C: "ECDHE-ECDSA-AES256-GCM-SHA384"
    case 0xC02F: "ECDHE-RSA-AES128-GCM-SHA256"
    case 0xC030: "ECDHE-RSA-AES256-GCM-SHA384"
    case 0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305"
    case 0xCCA9: "ECDHE-ECDSA-CHACHA20-POLY1305"
    case 0xC009: "ECDHE-ECDSA-AES128-SHA"
    case 0xC00A: "ECDHE-ECDSA-AES256-SHA"
    case 0xC013: "ECDHE-RSA-AES128-SHA"
    case 0xC014: "ECDHE-RSA-AES256-SHA"
    case 0xC027: "ECDHE-RSA-AES128-SHA256"
    case 0x009C: "AES128-GCM-SHA256"
    case 0x009D: "AES256-GCM-SHA384"
    case 0x002F: "AES128-SHA"
    case 0x0035: "AES256-SHA"
    default: nil
    }
  }
}
