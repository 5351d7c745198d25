/// Responses that a cache has to do with, at `/cached/NAME`.
///
/// The query says what they are like. A parameter may have several values, separated by `;`: the first request of the name
/// gets the first one, and so on; the last one stays.
///
/// - `cc`, `sc`, `vary`, `keys`, `age`, `etag`, `expires`, `cookie`, `modified`: values of `Cache-Control`,
///   `Surrogate-Control`, `Vary`, `Surrogate-Key`, `Age`, `ETag` (without quotes), `Expires`, `Set-Cookie`, `Last-Modified`
/// - `status`: 200 by default; `drop` closes the connection instead of answering
/// - `gate`: the gate to wait at before answering
/// - `body`: text in front of the number of the response; `NAME` by default
///
/// A request whose `If-None-Match` is the present `etag` gets a 304 with `X-Checked: yes`.
extension OriginScript {
  static func cache(_ request: OriginConnection.Request, on connection: inout OriginConnection) async throws -> Bool? {
    guard request.action == "cached" else { return nil }
    try await connection.readBody(of: request)
    let number = connection.origin.count(request.argument)
    func value(_ name: String) -> String? {
      let values = request.query[name]?.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
      return values.map { $0[min(number, $0.count) - 1] }.flatMap { $0.isEmpty ? nil : $0 }?.replacing("+", with: " ")
    }
    if let gate = value("gate") { try await connection.origin.pass(gate: gate) }
    let status = value("status") ?? "200"
    if status == "drop" { return false }
    var fields = ""
    let names = [
      ("cc", "Cache-Control"), ("sc", "Surrogate-Control"), ("vary", "Vary"), ("keys", "Surrogate-Key"), ("age", "Age"),
      ("expires", "Expires"), ("cookie", "Set-Cookie"), ("modified", "Last-Modified"),
    ]
    for (name, field) in names { if let value = value(name) { fields += "\(field): \(value)\r\n" } }
    if let tag = value("etag") {
      fields += "ETag: \"\(tag)\"\r\n"
      if request.head.lowercased().contains("if-none-match: \"\(tag)\"") {
        try await connection.write("HTTP/1.1 304 Not Modified\r\nX-Checked: yes\r\n\(fields)\r\n")
        return true
      }
    }
    try await connection.answer(
      request, "\(value("body") ?? request.argument) \(number)", status: "\(status) Whatever", headers: fields)
    return true
  }
}
