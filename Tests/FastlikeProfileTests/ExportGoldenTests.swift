import Crypto
import Foundation
import Testing

@testable import FastlikeProfile

/// The files under `Goldens`. With `FASTLIKE_UPDATE_GOLDENS=1` in the environment they are written anew instead of
/// compared; look at the difference before committing it.
enum ExportGolden {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Goldens")
  static let isUpdating = ProcessInfo.processInfo.environment["FASTLIKE_UPDATE_GOLDENS"] == "1"

  /// Compares a text with a golden file, or writes the file.
  static func check(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = folder.appendingPathComponent(name)
    if isUpdating {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file, options: .atomic)
      return
    }
    guard let data = try? Data(contentsOf: file) else {
      Issue.record("Goldens/\(name) is missing; FASTLIKE_UPDATE_GOLDENS=1 writes it", sourceLocation: sourceLocation)
      return
    }
    let golden = String(decoding: data, as: UTF8.self)
    guard golden != text else { return }
    let lines = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let found = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(lines, found).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let place = line ?? min(lines.count, found.count)
    let expected = place < lines.count ? String(lines[place].prefix(400)) : "the end"
    let actual = place < found.count ? String(found[place].prefix(400)) : "the end"
    Issue.record(
      "Goldens/\(name):\(place + 1): expected \(expected), found \(actual)", sourceLocation: sourceLocation)
  }
}

struct ExportGoldenTests {
  private static let jsonFormats: [TraceExportFormat] = [.firefox, .chrome, .speedscope, .har]

  @Test(arguments: jsonFormats, TraceFixture.allCases)
  func jsonExportsEqualTheirGoldens(format: TraceExportFormat, fixture: TraceFixture) throws {
    try ExportGolden.check(
      ExportJSONLayout.lines(format.encode(fixture.traces)), fixture.rawValue + format.fileSuffix)
  }

  @Test(arguments: TraceFixture.allCases)
  func pprofExportsEqualTheirGoldens(fixture: TraceFixture) throws {
    let file = try ExportPprofFile(PprofEncoder.encode(fixture.traces, compressed: false))
    try ExportGolden.check(file.text, fixture.rawValue + ".pprof.txt")
  }

  @Test(arguments: TraceFixture.allCases)
  func perfettoExportsEqualTheirGoldens(fixture: TraceFixture) throws {
    let file = try ExportPerfettoFile(PerfettoEncoder.encode(fixture.traces))
    try ExportGolden.check(file.text, fixture.rawValue + ".perfetto.txt")
  }

  @Test(arguments: TraceFixture.allCases)
  func collapsedStacksEqualTheirGoldens(fixture: TraceFixture) throws {
    let text = CollapsedStackEncoder.Measure.allCases
      .map { measure in
        let lines = String(decoding: CollapsedStackEncoder.encode(fixture.traces, measure: measure), as: UTF8.self)
        return "# \(measure.rawValue)\n\(lines)"
      }
    try ExportGolden.check(text.joined(), fixture.rawValue + ".collapsed.txt")
  }

  /// Files of megabytes are kept as what tells that one changed; ``ExportHugeTests`` counts what is in them.
  @Test func exportsOfATraceAtItsCapsEqualTheirDigests() throws {
    let trace = TraceFixture.hugeTrace()
    let json = Self.jsonFormats.map { ($0.rawValue, String(decoding: $0.encode(trace), as: UTF8.self)) }
    let perfetto = try ExportPerfettoFile(PerfettoEncoder.encode(trace)).text
    let lines = (json + [("perfetto", perfetto)])
      .map { name, text in
        let digest = SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
        return "\(name): \(text.utf8.count) bytes, SHA-256 \(digest)\n"
      }
    try ExportGolden.check(lines.joined(), "huge.digests.txt")
  }

  @Test func aggregatesOfATraceAtItsCapsEqualTheirGoldens() throws {
    let trace = TraceFixture.hugeTrace()
    let pprof = try ExportPprofFile(PprofEncoder.encode(trace, compressed: false))
    try ExportGolden.check(pprof.text, "huge.pprof.txt")
    let collapsed = CollapsedStackEncoder.encode([trace], measure: .wall)
    try ExportGolden.check(String(decoding: collapsed, as: UTF8.self), "huge.collapsed.txt")
  }

  @Test(arguments: TraceExportFormat.allCases, TraceFixture.allCases)
  func theSameTracesGiveTheSameBytes(format: TraceExportFormat, fixture: TraceFixture) {
    #expect(format.encode(fixture.traces) == format.encode(fixture.traces))
  }
}
