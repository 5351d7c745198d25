/// The head of a recording: the method and the URL of a request and its place in a distributed trace, packed where the request
/// begins, so that a recording copies bytes and counts no references.
struct RecordedHead {
  /// Room for most heads, which belongs to the ``RecordingBlock``.
  private let area: UnsafeMutableBufferPointer<UInt8>
  private var count = 0
  /// Where a longer one lies.
  private var long: PackedBlock?
  /// Whether the trace is one that is to be pushed.
  private(set) var isSampled = true

  /// Bytes of the area, and so of most heads.
  static let areaSize = 256

  init(in area: UnsafeMutableBufferPointer<UInt8>) { self.area = area }

  /// Puts a head in the place of the one before.
  /// - Parameter plainPath: What clients send most: a text that ``RedactedURL/isPlainPath(_:)-(String)`` is true for.
  @inline(__always)
  mutating func put(method: String, plainPath: String, context: TraceContext?) {
    put(context) { writer in
      writer.write(method: method)
      writer.write(plainPath)
      writer.write(byte: 0)
    }
  }

  /// Puts a head in the place of the one before.
  mutating func put(method: String, url: RedactedURL, context: TraceContext?) {
    put(context) { writer in
      writer.write(method: method)
      writer.write(url)
    }
  }

  @inline(__always)
  private mutating func put(_ context: TraceContext?, _ body: (inout PackedWriter) -> Void) {
    var writer = PackedWriter(into: area)
    body(&writer)
    if let context {
      isSampled = context.isSampled
      writer.write(context)
    } else {
      isSampled = true
      writer.write(byte: 0)
    }
    count = writer.count
    if long != nil || writer.moved != nil { long = writer.moved }
  }

  /// Calls the body with the packed bytes.
  @inline(__always)
  func withBytes(_ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    if let long {
      long.withBytes(count, body)
    } else {
      body(UnsafeBufferPointer(rebasing: area[..<count]))
    }
  }

  /// What was written.
  var parts: Parts {
    var parts = Parts()
    withBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      var reader = PackedReader(start)
      parts = Parts(&reader)
    }
    return parts
  }

  /// A head as others read it.
  struct Parts {
    var method = ""
    var url = RedactedURL()
    var context: TraceContext?

    fileprivate init() {}

    init(_ reader: inout PackedReader) {
      method = reader.text()
      let path = reader.text()
      let hasHost = reader.byte() != 0
      url = RedactedURL(keptScheme: hasHost ? reader.text() : "", host: hasHost ? reader.text() : "", path: path)
      context = reader.context()
    }
  }
}

extension PackedWriter {
  fileprivate mutating func write(method: String) {
    // What most requests have is compared and written as one word.
    if method == "GET" {
      write(byte: 3)
      write(bytes: "GET")
    } else {
      write(PrintableText.method(method))
    }
  }

  fileprivate mutating func write(_ url: RedactedURL) {
    write(url.path)
    let hasHost = !url.scheme.isEmpty || !url.host.isEmpty
    write(byte: hasHost ? 1 : 0)
    if hasHost {
      write(url.scheme)
      write(url.host)
    }
  }

  @inline(never)
  fileprivate mutating func write(_ context: TraceContext) {
    write(byte: context.parentSpanID == nil ? 1 : 2)
    write(whole: context.traceHigh)
    write(whole: context.traceLow)
    write(whole: context.spanID)
    if let parent = context.parentSpanID { write(whole: parent) }
    write(byte: context.flags)
  }
}

extension PackedReader {
  fileprivate mutating func context() -> TraceContext? {
    let kind = byte()
    guard kind != 0 else { return nil }
    return TraceContext(
      traceHigh: whole(UInt64.self), traceLow: whole(UInt64.self), spanID: whole(UInt64.self),
      parentSpanID: kind == 2 ? whole(UInt64.self) : nil, flags: byte())
  }
}
