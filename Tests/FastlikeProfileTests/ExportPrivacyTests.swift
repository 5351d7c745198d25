import Testing

@testable import FastlikeProfile

struct ExportPrivacyTests {
  /// Formats that compress are looked at unpacked.
  private func plain(_ format: TraceExportFormat, _ traces: [RequestTrace]) throws -> [UInt8] {
    let bytes = format.encode(traces)
    return GzipInput.isCompressed(bytes) ? try GzipInput.decompress(bytes, limit: 1 << 24) : bytes
  }

  @Test(arguments: TraceExportFormat.allCases)
  func noExportHoldsASecretOfARecording(format: TraceExportFormat) throws {
    let trace = Canary.record()
    let bytes = try plain(format, [trace, trace])
    #expect(!Canary.isIn(bytes))
    // What may be told is there, so the search did look at something.
    #expect(bytes.contains("app.wasm".utf8) || bytes.contains("origin".utf8) || format == .collapsed)
  }

  @Test(arguments: CollapsedStackEncoder.Measure.allCases)
  func noMeasureOfCollapsedStacksHoldsASecret(measure: CollapsedStackEncoder.Measure) {
    #expect(!Canary.isIn(CollapsedStackEncoder.encode(Canary.record(), measure: measure)))
  }

  @Test(arguments: TraceExportFormat.allCases)
  func redactedHeadersAreNotNamed(format: TraceExportFormat) throws {
    // HAR has lists of cookies, which are empty.
    let text = String(decoding: try plain(format, [Canary.record()]), as: UTF8.self).lowercased()
      .replacing("\"cookies\":[]", with: "")
    for name in HeaderRedaction.names { #expect(!text.contains(name)) }
  }

  @Test(arguments: TraceExportFormat.allCases)
  func noExportOfASampleHoldsItsQuery(format: TraceExportFormat) throws {
    let bytes = try plain(format, [TraceSamples.full])
    #expect(!bytes.contains("secret".utf8))
  }
}
