internal import Foundation

/// The system's words for an error number.
func systemErrorText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// Reads a file from its start, a piece at a time, always into the same memory.
final class NativeInputFile {
  private let path: String
  private let descriptor: Int32
  private(set) var buffer: [UInt8]

  init(path: String, pieceBytes: Int = 1 << 20) throws(NativeInputError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    buffer = []
    guard descriptor >= 0 else { throw NativeInputError(path: path, code: errno) }
    buffer = [UInt8](repeating: 0, count: pieceBytes)
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// Fills the front of ``buffer``.
  /// - Returns: How many bytes; 0 at the end.
  func readPiece() throws(NativeInputError) -> Int {
    while true {
      let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 { return count }
      guard errno == EINTR else { throw NativeInputError(path: path, code: errno) }
    }
  }

  /// Everything that is left.
  /// - Throws: ``NativeSampleError/tooLarge(limit:)``, ``NativeInputError``
  func readToEnd(limit: Int) throws -> [UInt8] {
    var all: [UInt8] = []
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_size > 0 { all.reserveCapacity(min(Int(status.st_size), limit)) }
    while true {
      let count = try readPiece()
      if count == 0 { return all }
      guard all.count + count <= limit else { throw NativeSampleError.tooLarge(limit: limit) }
      all.append(contentsOf: buffer[..<count])
    }
  }
}
