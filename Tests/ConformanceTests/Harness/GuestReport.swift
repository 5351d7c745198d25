/// What a test guest answered: lines of `name=value`, as `Guests/README.md` describes them.
struct GuestReport: Sendable {
  var text: String

  /// The value of the first line with that name.
  subscript(name: String) -> String? { values(name).first }

  func values(_ name: String) -> [String] {
    lines.filter { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  var lines: [String] { text.split(separator: "\n").map(String.init) }

  /// The names of the lines with exactly this value.
  func names(with value: String) -> [String] {
    lines.filter { $0.hasSuffix("=" + value) }.map { String($0.dropLast(value.count + 1)) }
  }
}

extension FastlikeProcess {
  /// What the guest reports at that target.
  func report(_ target: String, headers: String = "") async throws -> GuestReport {
    GuestReport(text: try await get(target, headers: headers).text)
  }
}
