internal import Foundation

/// How traces lie in a segment: `FTR1`, bytes of the head, bytes of the payload, CRC-32 of all that follows the mark but
/// itself (each 4 bytes, little-endian), the head, the payload. The head is what the index tells, as JSON, so that the index can be made
/// anew without decoding traces; the payload is the native JSON.
enum ArchiveRecord {
  static let mark: [UInt8] = Array("FTR1".utf8)
  static let prefixBytes = 16
  /// Most bytes of a record.
  static let maximumBytes = 256 << 20
  /// The beginning of every segment: the format and its version.
  static let segmentMark: [UInt8] = Array("FLTRACE1".utf8)

  /// Sizes and checksum of a record.
  struct Prefix: Equatable {
    var headBytes: Int
    var payloadBytes: Int
    var checksum: UInt32

    var recordBytes: Int { prefixBytes + headBytes + payloadBytes }

    /// nil for bytes that are no prefix.
    init?(_ bytes: some Collection<UInt8>) {
      let all = Array(bytes.prefix(prefixBytes))
      guard all.count == prefixBytes, all.starts(with: mark) else { return nil }
      headBytes = Int(ArchiveRecord.number(all, at: 4))
      payloadBytes = Int(ArchiveRecord.number(all, at: 8))
      checksum = ArchiveRecord.number(all, at: 12)
      guard headBytes <= 1 << 20, recordBytes <= maximumBytes else { return nil }
    }
  }

  /// nil for a trace that is too large for a record.
  static func encode(_ trace: RequestTrace, head: ArchiveRecordHead) throws -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return frame(head: Array(try encoder.encode(head)), payload: NativeJSONEncoder.encode(trace))
  }

  static func frame(head: [UInt8], payload: [UInt8]) -> [UInt8]? {
    guard prefixBytes + head.count + payload.count <= maximumBytes else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(prefixBytes + head.count + payload.count)
    bytes += mark
    append(UInt32(head.count), to: &bytes)
    append(UInt32(payload.count), to: &bytes)
    append(0, to: &bytes)
    bytes += head
    bytes += payload
    let checksum = checksum(bytes)
    for index in 0..<4 { bytes[12 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
    return bytes
  }

  /// The head and payload of a whole record; nil when its bytes are not those that were written.
  static func parts(_ bytes: [UInt8]) -> (head: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)? {
    guard let prefix = Prefix(bytes), prefix.recordBytes == bytes.count, checksum(bytes) == prefix.checksum else {
      return nil
    }
    let payload = prefixBytes + prefix.headBytes
    return (bytes[prefixBytes..<payload], bytes[payload...])
  }

  /// The head of a whole record; nil when its bytes are not those that were written.
  static func head(_ bytes: [UInt8]) -> ArchiveRecordHead? {
    parts(bytes).flatMap { try? JSONDecoder().decode(ArchiveRecordHead.self, from: Data($0.head)) }
  }

  private static func checksum(_ record: [UInt8]) -> UInt32 {
    var checksum = ArchiveChecksum()
    checksum.add(record, 4..<12)
    checksum.add(record, prefixBytes..<record.count)
    return checksum.value
  }

  private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    for shift in [UInt32(0), 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  private static func number(_ bytes: [UInt8], at index: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << (8 * UInt32($1)) }
  }
}

/// What a record tells of its trace beside it.
struct ArchiveRecordHead: Codable, Equatable {
  var id: UInt64
  var start: Int64
  var wall: Int64
  var method: String
  var scheme: String
  var host: String
  var path: String
  var status: Int
  var outcome: String
  var module: String
  var name: String
  var spans: Int
  var calls: Int
  var cut: Bool
}

extension ArchiveRecordHead {
  init(_ trace: RequestTrace) {
    self.init(
      id: trace.id, start: trace.wallStartUnixNanos, wall: trace.wallNanos, method: trace.method,
      scheme: trace.url.scheme, host: trace.url.host, path: trace.url.path, status: trace.status,
      outcome: trace.outcome.wireName, module: trace.moduleID, name: trace.moduleName, spans: trace.spans.count,
      calls: trace.backendCalls.count, cut: trace.isTruncated)
  }
}

/// CRC-32 of IEEE 802.3, as in gzip.
struct ArchiveChecksum {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  private var register: UInt32 = .max

  mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
    let table = Self.table
    var register = register
    for byte in bytes[range] { register = table[Int(UInt8(truncatingIfNeeded: register) ^ byte)] ^ register >> 8 }
    self.register = register
  }

  var value: UInt32 { ~register }
}
