/// Reads a segment record by record, over what is no record.
struct ArchiveSegment {
  /// Damaged places after which the rest of a segment is given up, so that hostile bytes cost no more than time in proportion.
  private static let maximumDamages = 64

  private let file: ArchiveFile
  private let size: Int64

  init(_ file: ArchiveFile) {
    self.file = file
    size = file.size
  }

  /// Whether it begins as this version writes segments. Others are left alone: a newer version may have written them.
  var isKnown: Bool { file.read(at: 0, count: ArchiveRecord.segmentMark.count) == ArchiveRecord.segmentMark }

  /// Calls `found` for every whole record from `start` on.
  /// - Returns: Bytes that are no whole record.
  func scan(from start: Int64, _ found: (_ head: ArchiveRecordHead, _ offset: Int64, _ bytes: Int) -> Void) -> Int64 {
    var offset = max(start, Int64(ArchiveRecord.segmentMark.count))
    var skipped: Int64 = 0
    var damages = 0
    while offset < size {
      if let bytes = record(at: offset), let head = ArchiveRecord.head(bytes) {
        found(head, offset, bytes.count)
        offset += Int64(bytes.count)
        continue
      }
      damages += 1
      let next = damages < Self.maximumDamages ? nextMark(after: offset) : size
      skipped += next - offset
      offset = next
    }
    return skipped
  }

  /// The bytes of the record at an offset; nil when no whole one begins there.
  func record(at offset: Int64) -> [UInt8]? {
    guard let prefix = ArchiveRecord.Prefix(file.read(at: offset, count: ArchiveRecord.prefixBytes)),
      offset + Int64(prefix.recordBytes) <= size
    else { return nil }
    let bytes = file.read(at: offset, count: prefix.recordBytes)
    return ArchiveRecord.parts(bytes) == nil ? nil : bytes
  }

  private func nextMark(after offset: Int64) -> Int64 {
    let mark = ArchiveRecord.mark
    var position = offset + 1
    while position < size {
      let window = file.read(at: position, count: Int(min(size - position, 64 << 10)))
      guard window.count >= mark.count else { return size }
      if let found = (0...(window.count - mark.count)).first(where: { window[$0...].starts(with: mark) }) {
        return position + Int64(found)
      }
      position += Int64(window.count - mark.count + 1)
    }
    return size
  }
}
