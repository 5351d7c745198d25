/// What can be seen of a response while it is written.
public protocol ResponseObserver {
  /// The final status; 0 while none was sent.
  var status: Int { get }
  /// Body bytes so far.
  var bytesWritten: Int64 { get }
  /// When the final head left, in nanoseconds from the trace's start; nil while it has not.
  var headerFlushed: Int64? { get }
  /// When the connection was taken over, in nanoseconds from the trace's start; nil while it was not.
  var hijacked: Int64? { get }
}

/// Follows the writing of a response: a value that a server feeds from its own writer.
public struct ResponseObservation: ResponseObserver, Sendable, Hashable, BitwiseCopyable {
  public private(set) var status = 0
  public private(set) var bytesWritten: Int64 = 0
  public private(set) var headerFlushed: Int64?
  public private(set) var hijacked: Int64?

  public init() {}

  /// A head was written. Informational ones (100–199 without 101) and all after the first final one change nothing.
  public mutating func writeHead(status: Int, at instant: Int64) {
    guard headerFlushed == nil, hijacked == nil, !(100..<200).contains(status) || status == 101 else { return }
    self.status = status
    headerFlushed = instant
  }

  /// Body bytes were written; without a head before, the server sends 200.
  public mutating func write(bytes: Int, at instant: Int64) {
    writeHead(status: 200, at: instant)
    bytesWritten += Int64(bytes)
  }

  /// What was written so far left; without a head before, the server sends 200.
  public mutating func flush(at instant: Int64) { writeHead(status: 200, at: instant) }

  /// The connection was taken over; without a head before, the status counts as 101.
  public mutating func hijack(at instant: Int64) {
    guard hijacked == nil else { return }
    hijacked = instant
    if headerFlushed == nil { status = 101 }
  }

  /// Takes over what a server observed itself.
  mutating func set(status: Int, bytes: Int64, headerFlushed instant: Int64) {
    writeHead(status: status, at: instant)
    bytesWritten = max(bytesWritten, bytes)
  }
}
