/// How much an importer reads and keeps. What is beyond is an error that says so, never memory without end.
public struct NativeImportLimits: Sendable, Hashable {
  /// Most bytes of an input, after decompression.
  public var bytes: Int
  /// Most samples.
  public var samples: Int
  /// Most distinct functions.
  public var functions: Int
  /// Most nodes of the stack table.
  public var stackNodes: Int

  /// - Parameters:
  ///   - bytes: 16 GiB by default; text is read as a stream.
  ///   - samples: 4 Mi by default, which take 200 MB.
  ///   - functions: 512 Ki by default.
  ///   - stackNodes: 8 Mi by default, which take 130 MB.
  public init(
    bytes: Int = 16 << 30, samples: Int = 4 << 20, functions: Int = 512 << 10, stackNodes: Int = 8 << 20
  ) {
    self.bytes = max(0, bytes)
    self.samples = max(0, samples)
    self.functions = max(0, functions)
    // Node indices are 32 bits wide with a sign.
    self.stackNodes = min(max(0, stackNodes), Int(Int32.max))
  }

  /// Names of functions are cut after so many bytes.
  static let nameBytes = 1024
}

/// An input that could not be opened or read.
public struct NativeInputError: Error, Equatable, CustomStringConvertible {
  /// The path as it was given.
  public let path: String
  /// The system's error number.
  public let code: Int32

  public var description: String { "\(path): \(systemErrorText(code))" }
}
