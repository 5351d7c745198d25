/// What `fastly_device_detection.lookup` answers: a JSON object by the whole text of `User-Agent`.
public struct DeviceDetection: Sendable, Equatable {
  /// The JSON file behind it, to watch for changes.
  public private(set) var file: String?
  private var records: [String: String] = [:]

  /// Knows no device.
  public init() {}

  /// Takes an object of user agent → record; records may be nested.
  init(userAgents: ConfigurationEntry, file: String? = nil) throws {
    self.file = file
    for (userAgent, entry) in try userAgents.table("a table of user agents").entries {
      _ = try entry.table()
      if let problem = Self.problem(in: entry.value) { throw entry.error(problem) }
      records[userAgent] = entry.value.json
    }
  }

  private static func problem(in value: ConfigurationValue) -> String? {
    switch value {
    case .dateTime: "must hold no date or time, which JSON does not have"
    case .number(let number) where !number.isFinite: "must hold finite numbers only"
    case .object(let members): members.values.lazy.compactMap { problem(in: $0) }.first
    case .array(let elements): elements.lazy.compactMap { problem(in: $0) }.first
    default: nil
    }
  }

  /// The record of exactly this user agent as a JSON object with sorted keys, or nil.
  public func lookup(_ userAgent: String) -> String? { records[userAgent] }
}
