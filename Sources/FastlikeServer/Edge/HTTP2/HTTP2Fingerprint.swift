/// What the first frames of a client tell of its make, in the notation that Akamai published ("Passive Fingerprinting of
/// HTTP/2 Clients", 2017): settings, window increment, priorities, order of the pseudo-header fields, separated by `|`.
struct HTTP2Fingerprint {
  private var settings: [String] = []
  private var windowIncrement: Int?
  private var priorities: [String] = []
  /// A client that sends more than this before its first request tells nothing by it.
  private static let maximumParts = 32

  mutating func note(_ frame: HTTP2Frame) {
    switch frame {
    case .settings(let values) where settings.isEmpty:
      settings = values.prefix(Self.maximumParts).map { "\($0.id):\($0.value)" }
    case .windowUpdate(stream: 0, let increment) where windowIncrement == nil: windowIncrement = increment
    case .priority(let stream, let priority) where priorities.count < Self.maximumParts:
      priorities.append("\(stream):\(priority.isExclusive ? 1 : 0):\(priority.dependency):\(priority.weight)")
    default: break
    }
  }

  /// The whole, once the first request has come.
  ///
  /// - Parameter pseudoOrder: The pseudo-header fields of that request by their first letters.
  func text(pseudoOrder: [UInt8]) -> String {
    let window = windowIncrement.map(String.init) ?? "00"
    let priority = priorities.isEmpty ? "0" : priorities.joined(separator: ",")
    let order = pseudoOrder.map { String(Unicode.Scalar($0)) }.joined(separator: ",")
    return [settings.joined(separator: ";"), window, priority, order].joined(separator: "|")
  }
}
