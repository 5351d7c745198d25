import Foundation
import Synchronization

/// A log endpoint that a guest has opened.
struct LogEndpoint: Sendable {
  var name: String
  var destination: LogDestination
}

/// Writes what guests log: each record is one line, written in one piece, whatever other guests log at the same time.
public final class LogRouter: Sendable {
  /// How the guests' standard streams are treated.
  public struct StandardStreams: Sendable {
    /// Lines go to the log as endpoint `stdout`, rather than to the host's standard output as they are.
    public var logsOutput = false
    /// The same for `stderr`.
    public var logsErrors = false

    public init(logsOutput: Bool = false, logsErrors: Bool = false) {
      self.logsOutput = logsOutput
      self.logsErrors = logsErrors
    }
  }

  private let streams: StandardStreams
  /// Open files by path; a file that cannot be opened is tried again at each record.
  private let files = Mutex<[String: FileHandle]>([:])

  public init(streams: StandardStreams = StandardStreams()) { self.streams = streams }

  func endpoint(_ name: String, _ destination: LogDestination) -> LogEndpoint {
    LogEndpoint(name: name, destination: destination)
  }

  /// Writes `NAME :: MESSAGE`. One newline at the end is dropped, others become `\n`; an empty message writes nothing.
  func write(_ message: UnsafeRawBufferPointer, to endpoint: LogEndpoint) {
    var message = message[...]
    if message.last == UInt8(ascii: "\n") { message.removeLast() }
    guard !message.isEmpty else { return }
    var line: [UInt8] = []
    line.reserveCapacity(endpoint.name.utf8.count + message.count + 8)
    line.append(contentsOf: endpoint.name.utf8)
    line.append(contentsOf: " :: ".utf8)
    for byte in message {
      if byte == UInt8(ascii: "\n") { line.append(contentsOf: "\\n".utf8) } else { line.append(byte) }
    }
    line.append(UInt8(ascii: "\n"))
    switch endpoint.destination {
    case .standardOutput: write(line, to: .standardOutput)
    case .file(let path): write(line, toFile: path)
    }
  }

  /// Writes one line of a guest's standard stream.
  func writeOutput(_ line: ArraySlice<UInt8>, isError: Bool) {
    let prefix = isError ? (streams.logsErrors ? "stderr :: " : "") : (streams.logsOutput ? "stdout :: " : "")
    let goesToErrors = isError && !streams.logsErrors
    write(Array(prefix.utf8) + line + [UInt8(ascii: "\n")], to: goesToErrors ? .standardError : .standardOutput)
  }

  private func write(_ line: [UInt8], to handle: FileHandle) {
    // A closed pipe or full disk must not end the host; there is nobody to tell.
    files.withLock { _ in try? handle.write(contentsOf: line) }
  }

  private func write(_ line: [UInt8], toFile path: String) {
    files.withLock { files in
      if files[path] == nil {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        files[path] = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      }
      try? files[path]?.write(contentsOf: line)
    }
  }
}

/// Cuts a guest's standard streams into lines.
struct GuestOutputLines {
  /// A line without an end is written in pieces of this many bytes.
  private static let longestLine = 64 * 1024
  private var pending: (output: [UInt8], errors: [UInt8]) = ([], [])

  mutating func write(_ bytes: UnsafeRawBufferPointer, isError: Bool, line: (ArraySlice<UInt8>) -> Void) {
    var text = isError ? pending.errors : pending.output
    text.append(contentsOf: bytes)
    var start = text.startIndex
    while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
      line(text[start..<end])
      start = end + 1
    }
    if text.count - start > GuestOutputLines.longestLine {
      line(text[start...])
      start = text.endIndex
    }
    let rest = Array(text[start...])
    if isError { pending.errors = rest } else { pending.output = rest }
  }

  /// Writes what has no newline behind it, at the guest's end.
  mutating func flush(line: (ArraySlice<UInt8>, _ isError: Bool) -> Void) {
    if !pending.output.isEmpty { line(pending.output[...], false) }
    if !pending.errors.isEmpty { line(pending.errors[...], true) }
    pending = ([], [])
  }
}
