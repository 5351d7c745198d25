import Foundation
import Testing

/// Holds `Docs/api-map.md` against the Go package's exported names, the sources and the tests.
struct APIMapTests {
  /// Types, functions, constants and variables.
  static let names = words(
    """
    DefaultHeapSampleCap DefaultProfileSpanCap ErrNoNativeSamples ErrProfileUIAuthMissing
    EncodeChromeTrace EncodeFirefoxGecko EncodePprof HostcallNameIndex IsLoopbackBindAddress
    MergeNativeSamples ModuleIDOf NativeProfilerStrategy NativeSamplingRequested ResolveHostcallName
    ValidateProfileUIAuth WrapProfileUIAuth WriteWasmSymbolSidecar BackendCall BackendOutcome
    BackendOutcomeOk BackendOutcomeNetworkError BackendOutcomeSyntheticFailure BackendOutcomeCancelled
    BackendOutcomeIncomplete BackendOutcomeOrphaned Binding CompileConfig ProfileMode ProfileModeOff
    ProfileModeTrace ProfileModeNative ProfileModeCombined ProfileModeDeep DeepMetrics NewDeepMetrics
    HeaderSummary SummarizeHeaders HeapAggregates HeapAggregatesOf HeapSample StoreAccess NativeSample
    NativeSampleEvent NativeSampleImporter PerfScriptImporter NewPerfScriptImporter ProfileStore
    NewProfileStore ProfileUI NewProfileUI RequestTrace Span TraceOutcome TraceOutcomeNormal
    TraceOutcomeTrap TraceOutcomePanic TraceOutcomeLoopFail TraceOutcomeCtxCanceled ResponseObserver
    TraceResponseWriter NewTraceResponseWriter
    """)

  /// Fields and methods by type.
  static let members: [String: String] = [
    "BackendCall":
      """
    PendingID Name Method URLRedacted Started DNSNanos ConnectNanos TLSNanos TTFBNanos TotalNanos
    Status ReqHeaderBytes RespHeaderBytes Outcome
    """,
    "BackendOutcome": "String",
    "Binding": "Store ModuleID DeepEnabled",
    "CompileConfig": "Mode",
    "ProfileMode": "IncludesTrace",
    "DeepMetrics":
      """
    BodyReadBytes BodyWriteBytes CacheLookups CacheInserts CacheHits CacheMisses CacheStale
    RequestHeaders ResponseHeaders StoreAccess HeapSamples HeapSamplesDropped AddHeapSample
    BumpStoreAccess Finalize StoreAccessCount
    """,
    "HeaderSummary": "Name Count Bytes",
    "HeapAggregates": "Min Max Final",
    "HeapSample": "RelativeNanos MemoryBytes",
    "StoreAccess": "Kind Name Count",
    "NativeSample": "RelativeNanos Function",
    "NativeSampleEvent": "PID UnixNanos Function",
    "NativeSampleImporter": "Import",
    "PerfScriptImporter": "Import",
    "ProfileStore":
      """
    AsyncGrace BackendCap CompleteTrace Dir Get InFlight NewRequestTrace Recent Retain SetAsyncGrace
    SetBackendCap SetDir SetRetain SetUIAddr UIAddr SetUIAuthToken UIAuthToken SetUIInsecure
    UIInsecure
    """,
    "RequestTrace":
      """
    ReqID ModuleID Method URL Status WallStart WallNanos HeaderFlushNanos GuestActiveNanos
    HostcallNanos NativeCPUNanos HijackedNanos Spans BackendCalls NativeSamples Dropped
    DroppedBackendCalls Outcome Notes Deep MarshalJSON SnapshotNativeSamples
    """,
    "Span": "NameIdx Start Duration RC TagSlots TagStrIdx",
    "TraceOutcome": "String",
    "ResponseObserver": "Status BytesWritten HeaderFlushed Hijacked",
    "TraceResponseWriter": "BytesWritten Header HeaderFlushed Hijacked Status Write WriteHeader",
  ]

  private struct Row {
    let seed: String
    let symbol: String
    let test: String
  }

  private static func words(_ text: String) -> [String] { text.split { $0.isWhitespace }.map(String.init) }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static let rows: [Row] = {
    let text = (try? String(contentsOf: root.appendingPathComponent("Docs/api-map.md"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: [" ", "`"]) }
      guard line.hasPrefix("| `"), cells.count == 3 else { return nil }
      return Row(seed: cells[0], symbol: cells[1], test: cells[2])
    }
  }()

  /// The text of every Swift file under a folder, one after the other.
  private static func swiftText(under folder: String) -> String {
    let files = FileManager.default.enumerator(at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil)
    var text = ""
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      text += (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }
    return text
  }

  /// The names that a text declares, with the word that declares them: `struct Span`, `func write`.
  private static func declarations(in text: String) -> Set<String> {
    var found: Set<String> = []
    let keywords: Set<Substring> = ["struct", "class", "enum", "protocol", "extension", "func", "var", "let", "case"]
    for line in text.split(separator: "\n") {
      var keyword: Substring?
      for word in line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
        if let declaring = keyword {
          found.insert("\(declaring) \(word)")
          // A line of cases declares several names.
          keyword = declaring == "case" ? declaring : nil
        } else if keywords.contains(word) {
          keyword = word
        }
        if word == "init" { found.insert("func init") }
      }
    }
    return found
  }

  private static func declares(_ declarations: Set<String>, _ name: some StringProtocol, as words: [String]) -> Bool {
    words.contains { declarations.contains("\($0) \(name)") }
  }

  @Test func everySeedNameHasOneRow() {
    let expected = Self.names + Self.members.flatMap { type, list in Self.words(list).map { "\(type).\($0)" } }
    let listed = Self.rows.map(\.seed)
    #expect(Set(expected).subtracting(listed).sorted() == [])
    #expect(Set(listed).subtracting(expected).sorted() == [])
    #expect(listed.count == Set(listed).count)
  }

  @Test func everyRowsSymbolIsDeclared() {
    let declarations = Self.declarations(in: Self.swiftText(under: "Sources"))
    let missing = Self.rows.map(\.symbol).filter { symbol in
      let parts = symbol.split(separator: ".")
      let hasType = Self.declares(declarations, parts[0], as: ["struct", "class", "enum", "protocol"])
      let hasMember = parts.count == 1 || Self.declares(declarations, parts[1], as: ["func", "var", "let", "case"])
      return !hasType || !hasMember
    }
    #expect(missing == [])
  }

  @Test func everyRowsTestIsThere() {
    let declarations = Self.declarations(in: Self.swiftText(under: "Tests"))
    let missing = Self.rows.filter { row in
      let parts = row.test.split(separator: ".")
      let hasSuite = Self.declares(declarations, parts[0], as: ["struct", "class", "enum"])
      return !hasSuite || (parts.count > 1 && !Self.declares(declarations, parts[1], as: ["func"]))
    }
    #expect(missing.map { "\($0.seed): \($0.test)" } == [])
  }
}
