/// One of the two messages between a client and its guest.
public enum TracedMessage: Sendable {
  case request
  case response
}

/// The headers of a recording's two messages, as numbers: a ``HeaderSummary`` is made of them when the trace is read.
struct RecordedHeaders {
  private struct Field: BitwiseCopyable {
    let name: TracedHeaderName
    /// Of name and value; the name can be longer than what is kept of it.
    let bytes: UInt32
  }

  private var request: [Field] = []
  private var response: [Field] = []

  mutating func removeAll() {
    request.removeAll(keepingCapacity: request.count <= 64)
    response.removeAll(keepingCapacity: response.count <= 64)
  }

  mutating func removeAll(_ message: TracedMessage) {
    switch message {
    case .request where !request.isEmpty: request = []
    case .response where !response.isEmpty: response = []
    default: break
    }
  }

  @inline(__always)
  mutating func append(_ name: TracedHeaderName, bytes: Int, to message: TracedMessage) {
    let field = Field(name: name, bytes: UInt32(clamping: bytes))
    switch message {
    case .request: request.append(field)
    case .response: response.append(field)
    }
  }

  /// The counts, and the fields as they lie in memory.
  func write(to writer: inout PackedWriter) {
    for fields in [request, response] {
      writer.write(fields.count)
      fields.withUnsafeBytes { writer.write(bytes: $0) }
    }
  }

  /// Reads what was written into metrics that have no headers yet.
  static func read(_ reader: inout PackedReader, into metrics: inout DeepMetrics) {
    let (request, response) = (summary(&reader), summary(&reader))
    if metrics.requestHeaders.isEmpty { metrics.requestHeaders = request }
    if metrics.responseHeaders.isEmpty { metrics.responseHeaders = response }
  }

  private static func summary(_ reader: inout PackedReader) -> [HeaderSummary] {
    let fields = (0..<reader.count()).map { _ in reader.whole(Field.self) }
    let names = fields.map { Array($0.name.name.utf8) }
    return HeaderSummary.summarize(
      fields: fields.count, name: { names[$0][...] }, valueBytes: { Int(fields[$0].bytes) - names[$0].count })
  }
}

extension TraceRecorder {
  /// Records the names of a message's headers and the sizes of their values; without effect unless deep. What was recorded of this
  /// message before is gone.
  /// - Parameter forEachField: Calls the function that it is given for each field, with its name and the number of bytes of its
  ///   value. Asked twice where a name is not among those that are kept as numbers.
  public func recordHeaders(
    _ message: TracedMessage,
    _ forEachField: (_ record: (_ name: UnsafeRawBufferPointer, _ valueBytes: Int) -> Void) -> Void
  ) {
    guard mode.includesDeep, !isFinished else { return }
    let details = details
    details.pointee.headers.removeAll(message)
    putSummary([], of: message)
    var areKnown = true
    forEachField { name, valueBytes in
      if let known = details.pointee.headerNames.name(of: name) {
        details.pointee.headers.append(known, bytes: name.count + valueBytes, to: message)
      } else {
        areKnown = false
      }
    }
    if !areKnown { summarizeHeaders(message, forEachField) }
  }

  /// As ``recordHeaders(_:_:)``, with summaries that are made at once.
  func summarizeHeaders(
    _ message: TracedMessage,
    _ forEachField: (_ record: (_ name: UnsafeRawBufferPointer, _ valueBytes: Int) -> Void) -> Void
  ) {
    var fields: [(name: String, valueBytes: Int)] = []
    forEachField { name, valueBytes in fields.append((String(decoding: name, as: UTF8.self), valueBytes)) }
    putSummary(HeaderSummary.summarize(sizes: fields), of: message)
  }

  private func putSummary(_ summary: [HeaderSummary], of message: TracedMessage) {
    updateDeep { deep in
      switch message {
      case .request: deep.requestHeaders = summary
      case .response: deep.responseHeaders = summary
      }
    }
  }
}
