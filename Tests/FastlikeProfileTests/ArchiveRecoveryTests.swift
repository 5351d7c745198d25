import Foundation
import Testing

@testable import FastlikeProfile

struct TraceArchiveRecoveryTests {
  private static let segment = "traces-0000000001.seg"

  /// Where each record of a segment begins, and where the last one ends.
  private func boundaries(_ bytes: [UInt8]) throws -> [Int] {
    var offsets = [ArchiveRecord.segmentMark.count]
    while let last = offsets.last, last < bytes.count {
      offsets.append(last + (try #require(ArchiveRecord.Prefix(bytes[last...])).recordBytes))
    }
    return offsets
  }

  /// Bytes that are left of the last record.
  @Test(arguments: [0, 1, 15, 16, 100, -1]) func aTornTailIsSkippedWhereverTheWriteWasCut(left: Int) throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...3))
    let whole = try folder.read(Self.segment)
    let offsets = try boundaries(whole)
    let length = left < 0 ? offsets[3] + left : offsets[2] + left
    try folder.write(Array(whole.prefix(length)), to: Self.segment)
    let archive = try folder.open()
    #expect(try archive.search().map(\.id) == [2, 1])
    #expect(archive.statistics.skippedBytes == Int64(length - offsets[2]))
    #expect(try archive.trace(id: 2)?.id == 2)
    #expect(try archive.trace(id: 3) == nil)
  }

  @Test func writingGoesOnAfterATornTail() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...3))
    try folder.write(try folder.read(Self.segment).dropLast(5), to: Self.segment)
    try folder.fill([ArchiveFolder.trace(9)])
    let archive = try folder.open()
    #expect(try archive.search().map(\.id) == [9, 2, 1])
    #expect(try archive.trace(id: 9)?.id == 9)
    #expect(archive.statistics.skippedBytes == 0)
  }

  @Test func recordsThatTheIndexDoesNotHaveAreFound() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    try FileManager.default.removeItem(at: folder.file("index.sqlite"))
    let archive = try folder.open()
    #expect(archive.statistics.recovered == 5)
    #expect(try archive.search().map(\.id) == [5, 4, 3, 2, 1])
    #expect(try archive.trace(id: 3)?.id == 3)
  }

  @Test func aDamagedIndexIsMadeAnew() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    var generator = SeededGenerator(seed: 1)
    let noise = (0..<8192).map { _ in UInt8.random(in: 0...255, using: &generator) }
    try folder.write(noise, to: "index.sqlite")
    #expect(try folder.open().search().count == 5)
  }

  @Test func aReaderDoesWithoutAnIndex() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    try FileManager.default.removeItem(at: folder.file("index.sqlite"))
    let archive = try folder.open(access: .readOnly)
    #expect(try archive.search().count == 5)
    #expect(try archive.trace(id: 3)?.id == 3)
    #expect(!FileManager.default.fileExists(atPath: folder.file("index.sqlite").path))
  }

  @Test func aDamagedRecordIsSkippedAndThoseAfterItAreFound() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    var bytes = try folder.read(Self.segment)
    let offsets = try boundaries(bytes)
    bytes[offsets[2] + 40] ^= 1
    try folder.write(bytes, to: Self.segment)
    try FileManager.default.removeItem(at: folder.file("index.sqlite"))
    let archive = try folder.open()
    #expect(try archive.search().map(\.id) == [5, 4, 2, 1])
    #expect(archive.statistics.skippedBytes == Int64(offsets[3] - offsets[2]))
  }

  @Test func aRecordThatIsDamagedBehindTheIndexIsAnErrorThatNamesIt() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...2))
    var bytes = try folder.read(Self.segment)
    let offsets = try boundaries(bytes)
    bytes[offsets[1] + 40] ^= 1
    try folder.write(bytes, to: Self.segment)
    let archive = try folder.open()
    #expect(throws: TraceArchiveError.damaged(segment: Self.segment, offset: Int64(offsets[1]))) {
      try archive.trace(id: 2)
    }
    #expect(try archive.trace(id: 1)?.id == 1)
  }

  @Test func aSegmentThatIsGoneTakesItsTracesWithIt() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    try FileManager.default.removeItem(at: folder.file(Self.segment))
    let archive = try folder.open()
    #expect(try archive.count == 0)
    #expect(try archive.trace(id: 1) == nil)
  }

  @Test func aSegmentWithoutItsMarkIsRemoved() throws {
    let folder = try ArchiveFolder()
    try folder.fill([ArchiveFolder.trace(1)])
    try Data("FLTR".utf8).write(to: folder.file("traces-0000000002.seg"))
    let archive = try folder.open()
    #expect(try folder.segments() == [Self.segment])
    #expect(try archive.count == 1)
  }

  @Test func checksumsAreThoseOfGzip() {
    var checksum = ArchiveChecksum()
    let text = Array("123456789".utf8)
    checksum.add(text, 0..<4)
    checksum.add(text, 4..<9)
    #expect(checksum.value == 0xCBF4_3926)
  }

  @Test func aRecordComesBackAsItWas() throws {
    let head = ArchiveRecordHead(TraceSamples.full)
    let record = try #require(try ArchiveRecord.encode(TraceSamples.full, head: head))
    let parts = try #require(ArchiveRecord.parts(record))
    #expect(ArchiveRecord.head(record) == head)
    #expect(Array(parts.payload) == NativeJSONEncoder.encode(TraceSamples.full))
  }

  @Test(arguments: [31, 32, 33] as [UInt64]) func noChangeOfARecordGoesUnseen(seed: UInt64) throws {
    print("TraceArchiveRecoveryTests: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let trace = ArchiveFolder.trace(1)
    let record = try #require(try ArchiveRecord.encode(trace, head: ArchiveRecordHead(trace)))
    for length in 0..<record.count { #expect(ArchiveRecord.parts(Array(record.prefix(length))) == nil, "seed \(seed)") }
    for _ in 0..<500 {
      var bytes = record
      bytes[.random(in: 0..<bytes.count, using: &generator)] ^= UInt8(1) << Int.random(in: 0...7, using: &generator)
      #expect(ArchiveRecord.parts(bytes) == nil, "seed \(seed)")
    }
  }

  @Test(arguments: [41, 42, 43, 44] as [UInt64]) func damagedFoldersAlwaysOpen(seed: UInt64) throws {
    print("TraceArchiveRecoveryTests: seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let folder = try ArchiveFolder()
    let limits = ArchiveLimits(bytes: 64 << 10, segmentBytes: 4 << 10)
    for round in 0..<12 {
      let first = UInt64(round * 10 + 1)
      try folder.fill(ArchiveFolder.traces(first...(first + 9)), limits)
      let names = try folder.segments() + ["index.sqlite"]
      let name = try #require(names.randomElement(using: &generator))
      var bytes = try folder.read(name)
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: bytes.removeLast(.random(in: 0...bytes.count, using: &generator))
      case 1:
        bytes += (0..<Int.random(in: 1...300, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
      case 2: bytes += ArchiveRecord.mark + [0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0]
      default:
        for _ in 0..<20 where !bytes.isEmpty {
          bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
        }
      }
      try folder.write(bytes, to: name)
    }
    let archive = try folder.open(limits)
    archive.append(ArchiveFolder.trace(1000))
    archive.flush()
    #expect(try archive.trace(id: 1000)?.id == 1000, "seed \(seed)")
    for entry in try archive.search(ArchiveQuery(limit: 1000)) {
      do {
        _ = try archive.trace(id: entry.id)
      } catch {
        #expect(error is TraceArchiveError, "seed \(seed)")
      }
    }
  }
}
