/// Reads the text of `perf script`, in all its layouts: with process and thread or one of them, with and without
/// padding, processor, period, event, call chains, inlined functions and source lines.
///
/// To be joined to traces the samples need a time on a clock that traces know: `perf record -k mono` (or
/// `-k CLOCK_REALTIME`), and they should name their process: `perf script -F +pid`. Samples of tracepoints and of
/// software events that count something else than CPU time are left out. Lines that are not understood are counted, not
/// fatal.
public struct PerfScriptImporter: NativeSampleImporter {
  /// What a number that stands alone before the time is.
  public enum LoneNumber: Sendable, Hashable {
    /// The thread, as `perf script` prints it by default; the process where the columns were chosen without the event.
    case automatic
    /// The process (`-F comm,pid,…`).
    case process
    /// The thread (`-F comm,tid,…`).
    case thread
  }

  /// Bounds of what is read and kept.
  public var limits: NativeImportLimits
  /// The clock of the recording; nil to tell by the size of the times.
  public var clock: NativeSampleEvent.Clock?
  /// What a number that stands alone is.
  public var loneNumber: LoneNumber
  /// Names of generated code that perf itself could not resolve.
  public var perfMap: PerfMap?

  public init(
    limits: NativeImportLimits = NativeImportLimits(), clock: NativeSampleEvent.Clock? = nil,
    loneNumber: LoneNumber = .automatic, perfMap: PerfMap? = nil
  ) {
    self.limits = limits
    self.clock = clock
    self.loneNumber = loneNumber
    self.perfMap = perfMap
  }

  public func importSamples(from bytes: [UInt8]) throws -> NativeSampleBatch {
    var parser = makeParser()
    try parser.feed(bytes)
    return try parser.finish()
  }

  /// Reads a file piece by piece, so that memory does not grow with the text.
  /// - Parameter progress: Is called about once a mebibyte with the bytes read so far.
  /// - Throws: ``NativeSampleError``, ``NativeInputError``
  public func importSamples(atPath path: String, progress: ((Int) -> Void)? = nil) throws -> NativeSampleBatch {
    let file = try NativeInputFile(path: path)
    var parser = makeParser()
    while true {
      let count = try file.readPiece()
      if count == 0 { return try parser.finish() }
      try parser.feed(file.buffer, 0..<count)
      progress?(parser.bytesRead)
    }
  }

  /// A parser for text that comes in pieces.
  public func makeParser() -> PerfScriptParser { PerfScriptParser(self) }
}
