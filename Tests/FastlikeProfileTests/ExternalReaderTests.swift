import Foundation
import Testing

@testable import FastlikeProfile

/// What other people's programs make of the exports.
struct ExternalReaderTests {
  @Test(.enabled(if: ExternalReader.pprof.isThere, ExternalReader.pprof.advice), arguments: TraceFixture.allCases)
  func pprofReadsTheProfileAsItWasMeant(fixture: TraceFixture) throws {
    let bytes = PprofEncoder.encode(fixture.traces)
    let raw = try PprofRawText(ExternalReader.pprof.read(bytes, ["-raw"]))
    let file = try ExportPprofFile(PprofEncoder.encode(fixture.traces, compressed: false))
    #expect(raw.types == file.types)
    #expect(raw.defaultType == (file.types.isEmpty ? nil : "wall/nanoseconds"))
    #expect(raw.values == file.samples.map(\.values))
    // pprof makes one up where there is none.
    #expect(raw.mappings == max(1, file.mappings.count))
    for label in file.samples.flatMap(\.labels) {
      #expect(raw.text.contains("\(label.key):[\(label.value)]"), "\(label.key)=\(label.value) is missing")
    }
    for comment in file.comments { #expect(raw.text.contains(comment)) }
  }

  @Test(.enabled(if: ExternalReader.pprof.isThere, ExternalReader.pprof.advice))
  func pprofReadsATraceAtItsCaps() throws {
    let trace = TraceFixture.hugeTrace()
    let raw = try PprofRawText(ExternalReader.pprof.read(PprofEncoder.encode(trace), ["-raw"]))
    #expect(raw.total("calls/count") == Int64(trace.spans.count))
    #expect(raw.total("wall/nanoseconds") == trace.wallNanos)
  }

  @Test(
    .enabled(if: ExternalReader.pprof.isThere, ExternalReader.pprof.advice),
    arguments: PprofEncoder.sampleTypes.map(\.type))
  func pprofRanksEveryColumn(type: String) throws {
    let bytes = PprofEncoder.encode(TraceFixture.stacks.traces)
    let top = try ExternalReader.pprof.read(bytes, ["-top", "-sample_index=\(type)"])
    #expect(top.contains("File: app.wasm"))
    #expect(top.contains("Type: \(type)"))
    #expect(top.contains(" cum%"))
  }

  @Test(.enabled(if: ExternalReader.pprof.isThere, ExternalReader.pprof.advice))
  func pprofShowsNamesAndLabelsWhole() throws {
    let bytes = PprofEncoder.encode(TraceFixture.stacks.traces)
    let stacks = try ExternalReader.pprof.read(bytes, ["-traces", "-sample_index=samples"])
    #expect(stacks.contains("parse(header: [UInt8])"))
    #expect(stacks.contains("skip; whitespace (inline)"))
    let tags = try ExternalReader.pprof.read(bytes, ["-tags"])
    #expect(tags.contains(" backend_outcome: "))
    #expect(tags.contains(": https://edge.example/shop/items"))
  }

  @Test(.enabled(if: ExternalReader.python.isThere, ExternalReader.python.advice), arguments: TraceFixture.allCases)
  func perfettosOwnMessagesReadTheTraceAsItWasMeant(fixture: TraceFixture) throws {
    let bytes = PerfettoEncoder.encode(fixture.traces)
    let text = try ExternalReader.python.read(bytes, ["perfetto_text.py"])
    #expect(text == (try ExportPerfettoFile(bytes)).text)
  }
}

/// What `go tool pprof -raw` prints.
private struct PprofRawText {
  let text: String
  /// As `type/unit`.
  let types: [String]
  let defaultType: String?
  /// For each sample, in the file's order.
  let values: [[Int64]]
  let mappings: Int

  init(_ text: String) throws {
    self.text = text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let samples = lines.firstIndex(of: "Samples:"), let locations = lines.firstIndex(of: "Locations"),
      let mappings = lines.firstIndex(of: "Mappings"), samples + 1 < locations
    else {
      throw ExportReadingError("pprof -raw printed no samples: \(text.prefix(200))")
    }
    let titles = lines[samples + 1].split(separator: " ").map(String.init)
    let mark = "[dflt]"
    types = titles.map { $0.replacingOccurrences(of: mark, with: "") }
    defaultType = titles.first { $0.hasSuffix(mark) }.map { String($0.dropLast(mark.count)) }
    // A sample is a line of values, a colon and locations; lines of labels follow it.
    values = lines[(samples + 2)..<locations]
      .compactMap { line in
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let words = line[..<colon].split(separator: " ")
        let numbers = words.compactMap { Int64($0) }
        return !words.isEmpty && numbers.count == words.count ? numbers : nil
      }
    self.mappings = lines[(mappings + 1)...].count { !$0.isEmpty }
  }

  func total(_ type: String) -> Int64? {
    types.firstIndex(of: type).map { index in values.reduce(0) { $0 + $1[index] } }
  }
}
