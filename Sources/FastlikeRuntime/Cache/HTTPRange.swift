/// The part of a stored response that a client asks for (RFC 9110 §14).
enum HTTPRange: Equatable {
  case whole
  /// From the first to the last byte, both counted.
  case part(first: Int, last: Int)
  /// The range lies behind the end (416).
  case unsatisfiable

  /// - Parameters:
  ///   - value: Of `Range`. What is no single range of bytes is ignored, so that the whole response is sent: several ranges,
  ///     other units, bad syntax (RFC 9110 §14.2).
  ///   - length: Of the whole body.
  init(_ value: some Collection<UInt8>, length: Int) {
    self = .whole
    let text = WireSyntax.trimmed(ArraySlice(Array(value)))
    guard text.count > 6, WireSyntax.equalIgnoringCase(text.prefix(6), "bytes=".utf8) else { return }
    let parts = text.dropFirst(6).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2 else { return }
    let (from, to) = (WireSyntax.trimmed(parts[0]), WireSyntax.trimmed(parts[1]))
    switch (HTTPRange.number(from), HTTPRange.number(to)) {
    case (let first?, let last?):
      guard first <= last else { return }
      self = first < length ? .part(first: first, last: min(last, length - 1)) : .unsatisfiable
    case (let first?, nil):
      guard to.isEmpty else { return }
      self = first < length ? .part(first: first, last: length - 1) : .unsatisfiable
    case (nil, let count?):
      guard from.isEmpty else { return }
      self = count > 0 && length > 0 ? .part(first: max(0, length - count), last: length - 1) : .unsatisfiable
    case (nil, nil): return
    }
  }

  /// Digits only; what is too large for a number lies behind every end.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    return WireSyntax.decimal(digits.drop { $0 == 0x30 }) ?? (digits.allSatisfy { $0 == 0x30 } ? 0 : .max)
  }
}
