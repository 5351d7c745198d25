import Foundation
import Testing

@testable import FastlikeProfile

struct TraceArchiveTests {
  @Test func tracesAreThereAfterARestart() throws {
    let folder = try ArchiveFolder()
    try folder.fill([TraceSamples.full])
    let archive = try folder.open()
    let found = try #require(try archive.trace(id: 42))
    #expect(NativeJSONEncoder.encode(found) == NativeJSONEncoder.encode(TraceSamples.full))
    #expect(archive.lastTraceID == 42)
    #expect(try archive.trace(id: 43) == nil)
  }

  @Test func idsGoOnAfterARestart() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...5))
    let store = ProfileStore()
    store.reserveIDs(through: try folder.open().lastTraceID)
    let recorder = store.begin(TraceHead(moduleID: "m", method: "GET", url: RedactedURL("/")))
    #expect(recorder?.id == 6)
  }

  @Test func entriesTellWhatTracesAre() throws {
    let folder = try ArchiveFolder()
    try folder.fill([TraceSamples.full])
    let entry = try #require(try folder.open().search().first)
    #expect(entry.id == 42)
    #expect(entry.wallStartUnixNanos == TraceSamples.full.wallStartUnixNanos)
    #expect(entry.wallNanos == 10_000_000)
    #expect(entry.method == "POST")
    #expect(entry.url == RedactedURL("https://example.com/a/b"))
    #expect(entry.status == 200)
    #expect(entry.outcome == .trap)
    #expect(entry.moduleID == "00112233aabbccdd")
    #expect(entry.moduleName == "app.wasm")
    #expect(entry.spanCount == 2)
    #expect(entry.backendCallCount == 2)
    #expect(entry.isTruncated)
    #expect(entry.recordBytes > 1000)
  }

  struct Search: CustomStringConvertible, Sendable {
    var query: ArchiveQuery
    var ids: [UInt64]
    var description: String { "\(ids)" }
  }

  private static let searches = [
    Search(query: ArchiveQuery(), ids: [6, 5, 4, 3, 2, 1]),
    Search(query: ArchiveQuery(since: 3_000_000, until: 5_000_000), ids: [4, 3]),
    Search(query: ArchiveQuery(path: "items"), ids: [4, 3, 2]),
    Search(query: ArchiveQuery(pathPrefix: "/items"), ids: [3, 2]),
    Search(query: ArchiveQuery(path: "%"), ids: [6]),
    Search(query: ArchiveQuery(status: 404...404), ids: [2]),
    Search(query: ArchiveQuery(status: 500...599), ids: [6, 3]),
    Search(query: ArchiveQuery(outcomes: [.trap, .limitExceeded]), ids: [6, 3]),
    Search(query: ArchiveQuery(outcomes: []), ids: []),
    Search(query: ArchiveQuery(moduleID: "new"), ids: [5, 4]),
    Search(query: ArchiveQuery(minimumWallNanos: 400), ids: [6, 5, 4]),
    Search(query: ArchiveQuery(maximumWallNanos: 400), ids: [4, 3, 2, 1]),
    Search(query: ArchiveQuery(moduleID: "m", minimumWallNanos: 300), ids: [6, 3]),
    Search(query: ArchiveQuery(order: .slowestFirst, limit: 2), ids: [6, 5]),
    Search(query: ArchiveQuery(limit: 2, offset: 1), ids: [5, 4]),
  ]

  @Test(arguments: searches) func searchesFindWhatTheyDescribe(search: Search) throws {
    let folder = try ArchiveFolder()
    try folder.fill([
      ArchiveFolder.trace(1, path: "/", wall: 100),
      ArchiveFolder.trace(2, path: "/items/1", status: 404, wall: 200),
      ArchiveFolder.trace(3, path: "/items/2", status: 500, wall: 300, outcome: .trap),
      ArchiveFolder.trace(4, path: "/x/items", wall: 400, module: "new"),
      ArchiveFolder.trace(5, path: "/y", wall: 500, module: "new"),
      ArchiveFolder.trace(6, path: "/100%25", status: 503, wall: 600, outcome: .limitExceeded),
    ])
    #expect(try folder.open().search(search.query).map(\.id) == search.ids)
  }

  @Test func aTraceThatComesAgainReplacesItself() throws {
    let folder = try ArchiveFolder()
    var trace = ArchiveFolder.trace(1)
    try folder.fill([trace])
    trace.status = 503
    try folder.fill([trace])
    let archive = try folder.open()
    #expect(try archive.count == 1)
    #expect(try archive.trace(id: 1)?.status == 503)
    #expect(try archive.search().map(\.status) == [503])
  }

  @Test func theNewestOfEqualIdsIsFound() throws {
    let folder = try ArchiveFolder()
    var later = ArchiveFolder.trace(1, status: 201)
    later.wallStartUnixNanos += 1
    try folder.fill([later, ArchiveFolder.trace(1)])
    let archive = try folder.open()
    #expect(try archive.count == 2)
    #expect(try archive.trace(id: 1)?.status == 201)
  }

  @Test func aStoreFeedsAnArchive() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open()
    let store = ProfileStore()
    let observation = store.observe { archive.append($0) }
    for trace in ArchiveFolder.traces(1...20) { store.complete(trace) }
    observation.cancel()
    archive.flush()
    #expect(try archive.count == 20)
    #expect(archive.statistics.written == 20)
  }

  @Test func manyThreadsMayAppendAndSearch() async throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open(ArchiveLimits(waiting: 10_000))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for start in 0..<8 {
        group.addTask {
          for id in 1...50 { archive.append(ArchiveFolder.trace(UInt64(start * 50 + id))) }
          _ = try archive.search()
        }
      }
      try await group.waitForAll()
    }
    archive.flush()
    #expect(try archive.count == 400)
  }

  @Test func aFullQueueDropsAndCountsAndNeverWaits() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open(ArchiveLimits(waiting: 10))
    archive.queue.suspend()
    let accepted = ArchiveFolder.traces(1...15).map { archive.append($0) }
    #expect(accepted == Array(repeating: true, count: 10) + Array(repeating: false, count: 5))
    #expect(archive.statistics.dropped == 5)
    archive.queue.resume()
    archive.flush()
    #expect(try archive.search().map(\.id) == (1...10).reversed())
  }

  @Test func aClosedArchiveDropsAndRefuses() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open()
    archive.close()
    archive.close()
    #expect(archive.append(ArchiveFolder.trace(1)) == false)
    #expect(archive.statistics.dropped == 1)
    #expect(throws: TraceArchiveError.closed) { try archive.search() }
    #expect(throws: TraceArchiveError.closed) { try archive.trace(id: 1) }
  }

  @Test func oneProcessWritesAtATime() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open()
    #expect(throws: TraceArchiveError.inUse(path: folder.path)) { try folder.open() }
    archive.close()
    _ = try folder.open()
  }

  @Test func readersWorkBesideAWriter() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open()
    archive.append(ArchiveFolder.trace(1))
    archive.flush()
    let reader = try folder.open(access: .readOnly)
    #expect(try reader.search().map(\.id) == [1])
    archive.append(ArchiveFolder.trace(2))
    archive.flush()
    #expect(try reader.trace(id: 2)?.id == 2)
    #expect(reader.append(ArchiveFolder.trace(3)) == false)
    #expect(reader.statistics.dropped == 1)
    #expect(try archive.count == 2)
  }

  @Test func readingAloneMakesNothing() throws {
    let folder = try ArchiveFolder()
    #expect(throws: TraceArchiveError.self) { try folder.open(access: .readOnly) }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  @Test func noSecretIsInAnyFile() throws {
    let folder = try ArchiveFolder()
    try folder.fill([Canary.record()])
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      #expect(!Canary.isIn(try folder.read(name)), "\(name)")
    }
  }
}

struct TraceArchiveCapTests {
  @Test func theOldestTracesGiveWayToTheCount() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open(ArchiveLimits(traces: 10))
    for trace in ArchiveFolder.traces(1...50) { archive.append(trace) }
    archive.flush()
    #expect(try archive.search().map(\.id) == (41...50).reversed())
    #expect(archive.statistics.evicted == 40)
    #expect(try archive.trace(id: 40) == nil)
  }

  @Test func theOldestSegmentsGiveWayToTheBytes() throws {
    let folder = try ArchiveFolder()
    let limits = ArchiveLimits(bytes: 64 << 10, waiting: 4000)
    let archive = try folder.open(limits)
    for trace in ArchiveFolder.traces(1...1000) { archive.append(trace) }
    archive.flush()
    let ids = try archive.search(ArchiveQuery(limit: 1000)).map(\.id)
    #expect(ids.first == 1000)
    #expect(ids == Array((1000 - UInt64(ids.count) + 1...1000).reversed()))
    #expect(archive.statistics.evicted == 1000 - ids.count)
    let onDisk = try folder.segments().reduce(0) { $0 + (try folder.read($1).count) }
    #expect(Int64(onDisk) == archive.bytes)
    #expect(archive.bytes <= limits.bytes)
    #expect(archive.bytes > limits.bytes / 2)
  }

  @Test func segmentsWithoutTracesAreRemoved() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open(ArchiveLimits(traces: 5, bytes: 1 << 20, segmentBytes: 4 << 10))
    for trace in ArchiveFolder.traces(1...100) { archive.append(trace) }
    archive.flush()
    #expect(try folder.segments().count < 5)
    #expect(try archive.count == 5)
  }

  @Test func smallerLimitsHoldFromTheOpeningOn() throws {
    let folder = try ArchiveFolder()
    try folder.fill(ArchiveFolder.traces(1...20))
    let archive = try folder.open(ArchiveLimits(traces: 3))
    #expect(try archive.search().map(\.id) == [20, 19, 18])
  }

  @Test func aTraceLargerThanTheArchiveIsCountedAndLeftOut() throws {
    let folder = try ArchiveFolder()
    let archive = try folder.open(ArchiveLimits(bytes: 64 << 10))
    archive.append(TraceSamples.huge)
    archive.append(ArchiveFolder.trace(1))
    archive.flush()
    #expect(archive.statistics.failed == 1)
    #expect(archive.statistics.lastFailure?.isEmpty == false)
    #expect(try archive.search().map(\.id) == [1])
  }
}

struct TraceArchiveFolderTests {
  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int) & 0o777
  }

  @Test func folderAndFilesAreForTheirOwnerAlone() throws {
    let folder = try ArchiveFolder()
    try folder.fill([ArchiveFolder.trace(1)])
    #expect(try mode(folder.path) == 0o700)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.sorted() == ["index.sqlite", "lock", "traces-0000000001.seg"])
    for name in names { #expect(try mode(folder.file(name).path) == 0o600, "\(name)") }
  }

  @Test func aLinkInThePlaceOfTheFolderIsRefused() throws {
    let folder = try ArchiveFolder()
    let target = folder.root.appendingPathComponent("target")
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: target.path)
    for path in [folder.path, folder.path + "/"] {
      let error = #expect(throws: TraceArchiveError.self) { try TraceArchive(directory: path) }
      #expect(error?.description.contains("symbolic link") == true)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: target.path).isEmpty)
  }

  @Test func linksInThePlaceOfFilesAreNotFollowed() throws {
    let folder = try ArchiveFolder()
    let target = folder.root.appendingPathComponent("target")
    try Data("precious".utf8).write(to: target)
    for name in ["lock", "index.sqlite"] {
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(at: folder.file(name), withDestinationURL: target)
      #expect(throws: TraceArchiveError.self) { try folder.open() }
      try FileManager.default.removeItem(atPath: folder.path)
    }
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: folder.file("traces-0000000001.seg"), withDestinationURL: target)
    try folder.fill([ArchiveFolder.trace(1)])
    #expect(try folder.open().trace(id: 1)?.id == 1)
    #expect(try Data(contentsOf: target) == Data("precious".utf8))
  }

  @Test func aFolderThatEverybodyMayWriteIntoIsRefused() throws {
    let folder = try ArchiveFolder()
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    #expect(throws: TraceArchiveError.self) { try folder.open() }
  }

  @Test func aFileInThePlaceOfTheFolderIsNamed() throws {
    let folder = try ArchiveFolder()
    try Data().write(to: URL(fileURLWithPath: folder.path))
    let error = #expect(throws: TraceArchiveError.self) { try folder.open() }
    #expect(error?.description.contains(folder.path) == true)
  }

  @Test func segmentsOfANewerVersionAreLeftAlone() throws {
    let folder = try ArchiveFolder()
    try folder.fill([ArchiveFolder.trace(1)])
    let newer = Array("FLTRACE2 something else".utf8)
    try Data(newer).write(to: folder.file("traces-0000000007.seg"))
    let archive = try folder.open(ArchiveLimits(traces: 1))
    archive.append(ArchiveFolder.trace(2))
    archive.close()
    #expect(try folder.read("traces-0000000007.seg") == newer)
  }
}
