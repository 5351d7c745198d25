/// A target for the guest `http_cache` that asks `/cached/NAME` of the origin.
///
/// - Parameters:
///   - test: The guest's path, such as `/send`.
///   - name: What the origin counts requests by; one that no other test uses.
///   - response: What the origin's responses are like, as ``OriginScript`` reads it; a space is a plus.
///   - more: Further parameters of the guest's.
func cachedTarget(_ test: String, _ name: String, _ response: String, _ more: [(String, String)] = []) -> String {
  let parameters = [("path", "/cached/\(name)?\(response)")] + more
  return test + "?" + parameters.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
}

private func percentEncoded(_ text: String) -> String {
  text.utf8.map { byte in
    let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2F || byte == 0x2D
    return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
}
