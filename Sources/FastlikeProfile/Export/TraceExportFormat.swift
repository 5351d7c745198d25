/// The formats that traces can be exported to, by the names used on the command line and in the page's addresses.
public enum TraceExportFormat: String, Sendable, CaseIterable {
  /// The native schema, which can be read back.
  case json
  /// Firefox Profiler.
  case firefox
  /// Chrome trace events: Perfetto's page, speedscope, Firefox Profiler.
  case chrome
  /// pprof, gzipped.
  case pprof
  /// Perfetto's own format.
  case perfetto
  case speedscope
  /// Collapsed stacks of the wall time, for flamegraph.pl and inferno.
  case collapsed
  /// The backend calls as a HAR archive.
  case har

  /// Put behind a request's name to make a file's name; some viewers go by it.
  public var fileSuffix: String {
    switch self {
    case .json: ".json"
    case .firefox: ".firefox.json"
    case .chrome: ".chrome.json"
    case .pprof: ".pb.gz"
    case .perfetto: ".pftrace"
    case .speedscope: ".speedscope.json"
    case .collapsed: ".collapsed.txt"
    case .har: ".har"
    }
  }

  /// The media type. For ``pprof`` it names the gzip file itself: no `Content-Encoding` may be added, or browsers save
  /// it unpacked.
  public var contentType: String {
    switch self {
    case .json, .firefox, .chrome, .speedscope, .har: "application/json"
    case .pprof: "application/gzip"
    case .perfetto: "application/octet-stream"
    case .collapsed: "text/plain; charset=utf-8"
    }
  }

  /// One trace. In the native schema it is one object.
  public func encode(_ trace: RequestTrace) -> [UInt8] {
    self == .json ? NativeJSONEncoder.encode(trace) : encode([trace])
  }

  /// Many traces in one file.
  public func encode(_ traces: [RequestTrace]) -> [UInt8] {
    switch self {
    case .json: NativeJSONEncoder.encode(traces)
    case .firefox: FirefoxProfileEncoder.encode(traces)
    case .chrome: ChromeTraceEncoder.encode(traces)
    case .pprof: PprofEncoder.encode(traces)
    case .perfetto: PerfettoEncoder.encode(traces)
    case .speedscope: SpeedscopeEncoder.encode(traces)
    case .collapsed: CollapsedStackEncoder.encode(traces)
    case .har: HAREncoder.encode(traces)
    }
  }
}
