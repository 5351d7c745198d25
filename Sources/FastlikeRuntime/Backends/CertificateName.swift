/// The rule by which a name in a certificate stands for a host (RFC 9525 §6).
enum CertificateName {
  /// Whether a DNS name of a certificate is that of the host.
  ///
  /// A wildcard is only taken for the whole left-most label and stands for exactly one label. The subject's common name
  /// never counts.
  static func matches(pattern: [UInt8], name: String) -> Bool {
    var pattern = pattern[...]
    var name = Array(name.utf8)[...]
    let dot = UInt8(ascii: ".")
    if pattern.last == dot { pattern.removeLast() }
    if name.last == dot { name.removeLast() }
    guard !name.isEmpty, !pattern.isEmpty, name.first != dot else { return false }
    guard pattern.starts(with: "*.".utf8) else {
      return !pattern.contains(UInt8(ascii: "*")) && WireSyntax.equalIgnoringCase(pattern, name)
    }
    let parent = pattern.dropFirst()
    guard parent.dropFirst().contains(dot), !parent.contains(UInt8(ascii: "*")),
      let firstDot = name.firstIndex(of: dot)
    else { return false }
    return WireSyntax.equalIgnoringCase(parent, name[firstDot...])
  }
}
