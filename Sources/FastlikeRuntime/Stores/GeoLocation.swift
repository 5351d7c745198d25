/// What `fastly_geo.lookup` answers: a JSON object by address.
public struct GeoLocation: Sendable, Equatable {
  /// The record of a loopback client that has none of its own.
  public static let loopbackRecord = ConfigurationValue.object([
    "as_name": .string("Fastly, Inc"), "as_number": .integer(54113), "area_code": .integer(415),
    "city": .string("San Francisco"), "conn_speed": .string("broadband"), "conn_type": .string("wired"),
    "continent": .string("NA"), "country_code": .string("US"), "country_code3": .string("USA"),
    "country_name": .string("United States of America"), "latitude": .number(37.77869),
    "longitude": .number(-122.39557), "metro_code": .integer(0), "postal_code": .string("94107"),
    "proxy_description": .string("?"), "proxy_type": .string("?"), "region": .string("CA"),
    "utc_offset": .integer(-700),
  ]).json

  /// Whether loopback addresses without a record get ``loopbackRecord``.
  public var usesLoopbackRecord = true
  /// The JSON file behind it, to watch for changes.
  public private(set) var file: String?
  private var records: [IPAddress: String] = [:]
  private var blocks = PrefixTable<String>()

  /// No records but the one for loopback.
  public init() {}

  /// Takes an object of address → record. Records are flat; `allowsPrefixes` lets `192.0.2.0/24` be an address.
  init(addresses: ConfigurationEntry, file: String? = nil, allowsPrefixes: Bool) throws {
    self.file = file
    for (key, entry) in try addresses.table("a table of addresses").entries {
      let record = try Self.record(entry)
      if let address = IPAddress(key) {
        records[address] = record
      } else if allowsPrefixes, let prefix = IPPrefix(key) {
        blocks.insert(record, for: prefix)
      } else {
        throw entry.error("the key must be an IP address" + (allowsPrefixes ? " or a prefix like 192.0.2.0/24" : ""))
      }
    }
  }

  private static func record(_ entry: ConfigurationEntry) throws -> String {
    for (_, field) in try entry.table().entries {
      switch field.value {
      case .string, .integer, .boolean: continue
      case .number(let number) where number.isFinite: continue
      case .number: throw field.error("must be a finite number")
      default: throw field.error("must be a string, number or boolean, not \(field.value.kind)")
      }
    }
    return entry.value.json
  }

  /// The record of an address as a JSON object with sorted keys, or nil where nothing is known: first its own, then the
  /// longest prefix's, then the one for loopback.
  public func lookup(_ address: IPAddress) -> String? {
    if let record = records[address] { return record }
    if let record = blocks.lookup(address) { return record }
    return usesLoopbackRecord && address.isLoopback ? Self.loopbackRecord : nil
  }
}
