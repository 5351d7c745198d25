/// The formats of external profilers that can be read.
public enum NativeProfileFormat: String, Sendable, CaseIterable {
  /// The text of `perf script`.
  case perfScript = "perf-script"
  /// A profile of samply or the Firefox Profiler, plain or gzip-compressed.
  case firefox

  /// Tells the format by how the input begins. Nothing of `perf script` begins with a brace.
  public static func detect(_ bytes: some Sequence<UInt8>) -> NativeProfileFormat {
    var start = bytes.makeIterator()
    var byte = start.next()
    if byte == 0x1F { return .firefox }
    // A byte order mark and blanks may come first.
    while let next = byte, [0x20, 0x0A, 0x0D, 0x09, 0xEF, 0xBB, 0xBF].contains(next) { byte = start.next() }
    return byte == UInt8(ascii: "{") ? .firefox : .perfScript
  }

  /// Reads a file in whichever format it is.
  /// - Parameter perfScript: How to read it if it is text of `perf script`.
  /// - Throws: ``NativeSampleError``, ``NativeInputError``
  public static func importSamples(
    atPath path: String, perfScript: PerfScriptImporter = PerfScriptImporter(), progress: ((Int) -> Void)? = nil
  ) throws -> NativeSampleBatch {
    let probe = try NativeInputFile(path: path, pieceBytes: 64)
    switch detect(probe.buffer.prefix(try probe.readPiece())) {
    case .perfScript: return try perfScript.importSamples(atPath: path, progress: progress)
    case .firefox: return try FirefoxProfileImporter().importSamples(atPath: path)
    }
  }
}
