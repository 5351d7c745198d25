/// Appends records to segments and keeps the index and the caps. Used by one thread at a time.
struct ArchiveWriter: Sendable {
  private struct Segment {
    var number: Int64
    var bytes: Int64
  }

  /// Records are put together until there are so many bytes.
  private static let bufferBytes = 4 << 20

  let limits: ArchiveLimits
  private let directory: ArchiveDirectory
  private let index: ArchiveIndex
  /// All segments, oldest first.
  private var segments: [Segment] = []
  private var lastNumber: Int64 = 0
  /// The last of `segments`, while records are appended to it.
  private var active: ArchiveFile?
  private var buffer: [UInt8] = []
  private var bufferedRows: [ArchiveIndex.Record] = []

  /// Bytes of all segments.
  private(set) var totalBytes: Int64 = 0

  /// Brings the index up to date with the segments that are there.
  init(
    _ directory: ArchiveDirectory, _ index: ArchiveIndex, _ limits: ArchiveLimits,
    _ statistics: inout ArchiveStatistics
  ) throws {
    self.directory = directory
    self.index = index
    self.limits = limits
    var known = try index.segments()
    lastNumber = known.keys.max() ?? 0
    for number in directory.segments() {
      lastNumber = max(lastNumber, number)
      guard let file = directory.openFile(ArchiveDirectory.segmentName(number)) else { continue }
      let markBytes = ArchiveRecord.segmentMark.count
      if file.size < markBytes, ArchiveRecord.segmentMark.starts(with: file.read(at: 0, count: markBytes)) {
        // The process ended between making the file and writing its mark.
        directory.remove(ArchiveDirectory.segmentName(number))
        continue
      }
      guard ArchiveSegment(file).isKnown else { continue }
      let skipped = try Self.update(index, number, file, from: known.removeValue(forKey: number), &statistics)
      segments.append(Segment(number: number, bytes: file.size))
      totalBytes += file.size
      active =
        skipped == 0 && file.size < limits.segmentBytes
        ? directory.openFile(ArchiveDirectory.segmentName(number), isWritable: true) : nil
    }
    for number in known.keys { _ = try index.remove(segment: number) }
    try keepCaps(adding: 0, &statistics)
  }

  /// Adds what the index lacks of a segment.
  /// - Returns: Bytes that are no record.
  static func update(
    _ index: ArchiveIndex, _ number: Int64, _ file: ArchiveFile, from known: Int64?,
    _ statistics: inout ArchiveStatistics
  ) throws -> Int64 {
    let size = file.size
    var indexed = known ?? 0
    if indexed > size {
      // The system lost the end of the segment, and it is not known where the loss begins.
      _ = try index.remove(segment: number)
      indexed = 0
    }
    guard known == nil || indexed != size else { return 0 }
    var rows: [ArchiveIndex.Record] = []
    let skipped = ArchiveSegment(file).scan(from: indexed) { head, offset, bytes in
      rows.append(ArchiveIndex.Record(head: head, offset: offset, bytes: bytes))
    }
    try index.commit(rows, segment: number, indexed: size)
    statistics.recovered += rows.count
    statistics.skippedBytes += skipped
    return skipped
  }

  // MARK: - Writing

  /// Writes traces; those that cannot be are counted.
  mutating func write(_ traces: [RequestTrace], _ statistics: inout ArchiveStatistics) {
    for trace in traces {
      do {
        let head = ArchiveRecordHead(trace)
        let record = try ArchiveRecord.encode(trace, head: head)
        guard let record, Int64(record.count + ArchiveRecord.segmentMark.count) <= limits.bytes else {
          fail(1, "a trace is larger than the archive may be", &statistics)
          continue
        }
        try makeRoom(for: Int64(record.count), &statistics)
        bufferedRows.append(
          ArchiveIndex.Record(
            head: head, offset: (segments.last?.bytes ?? 0) + Int64(buffer.count), bytes: record.count))
        buffer += record
        if buffer.count >= Self.bufferBytes { try flush(&statistics) }
      } catch {
        fail(1, "\(error)", &statistics)
      }
    }
    do {
      try flush(&statistics)
      try keepCaps(adding: 0, &statistics)
    } catch {
      fail(0, "\(error)", &statistics)
    }
  }

  /// Waits until everything is on the disk.
  func synchronize() { active?.synchronize() }

  private func fail(_ count: Int, _ reason: String, _ statistics: inout ArchiveStatistics) {
    statistics.failed += count
    statistics.lastFailure = PrintableText.bounded(reason, to: 512)
  }

  /// Sees to it that the next record fits into the active segment and the archive.
  private mutating func makeRoom(for bytes: Int64, _ statistics: inout ArchiveStatistics) throws {
    let markBytes = Int64(ArchiveRecord.segmentMark.count)
    let buffered = Int64(buffer.count)
    if totalBytes + buffered + bytes + markBytes > limits.bytes {
      try flush(&statistics)
      try keepCaps(adding: bytes + markBytes, &statistics)
    }
    if active != nil, let last = segments.last, last.bytes + Int64(buffer.count) > markBytes,
      last.bytes + Int64(buffer.count) + bytes > limits.segmentBytes
    {
      try flush(&statistics)
      active?.synchronize()
      active = nil
    }
    if active == nil {
      let number = lastNumber + 1
      let file = try directory.makeFile(ArchiveDirectory.segmentName(number))
      lastNumber = number
      let code = file.append(ArchiveRecord.segmentMark)
      guard code == 0 else {
        directory.remove(ArchiveDirectory.segmentName(number))
        throw TraceArchiveError.unusable(path: directory.path, reason: systemErrorText(code))
      }
      active = file
      segments.append(Segment(number: number, bytes: markBytes))
      totalBytes += markBytes
    }
  }

  /// Appends the buffer to the active segment, then tells the index. The other way round a crash would leave the index
  /// pointing at nothing.
  private mutating func flush(_ statistics: inout ArchiveStatistics) throws {
    guard !buffer.isEmpty, let file = active, let last = segments.indices.last else { return }
    let rows = bufferedRows
    let code = file.append(buffer)
    let bytes = Int64(buffer.count)
    buffer.removeAll(keepingCapacity: bytes <= 1 << 20)
    bufferedRows = []
    guard code == 0 else {
      // What was written of it is no record; without it the segment can go on.
      if !file.truncate(to: segments[last].bytes) { active = nil }
      fail(rows.count, systemErrorText(code), &statistics)
      return
    }
    segments[last].bytes += bytes
    totalBytes += bytes
    do {
      try index.commit(rows, segment: segments[last].number, indexed: segments[last].bytes)
      statistics.written += rows.count
    } catch {
      // The records are safe. Ending the segment here keeps the index's account of it, so the next opening finds them.
      active = nil
      fail(rows.count, "the index cannot be written", &statistics)
    }
  }

  // MARK: - Caps

  /// Lets the oldest traces go until the caps are kept, with room for some bytes more.
  private mutating func keepCaps(adding bytes: Int64, _ statistics: inout ArchiveStatistics) throws {
    while totalBytes + bytes > limits.bytes, let oldest = segments.first {
      try drop(oldest.number, &statistics)
    }
    let evicted = try index.evict(keeping: limits.traces)
    statistics.evicted += evicted
    for number in try index.emptySegments(except: active == nil ? 0 : segments.last?.number ?? 0) {
      try drop(number, &statistics)
    }
  }

  private mutating func drop(_ number: Int64, _ statistics: inout ArchiveStatistics) throws {
    if segments.last?.number == number { active = nil }
    // The file first: an index without it is put right at the next opening, a file without index would come back.
    directory.remove(ArchiveDirectory.segmentName(number))
    for segment in segments where segment.number == number { totalBytes -= segment.bytes }
    segments.removeAll { $0.number == number }
    statistics.evicted += try index.remove(segment: number)
  }
}
