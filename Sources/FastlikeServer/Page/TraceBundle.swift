import FastlikeProfile

/// Many traces in one answer.
enum TraceBundle {
  /// An answer ends when it has reached so many bytes; who wants more asks from another offset on.
  static let mostBytes = 64 << 20

  /// A file in the native schema with the first of these traces, one at least.
  static func encode(_ traces: [RequestTrace]) -> [UInt8] {
    var bytes = Array("{\"schema_version\":\(NativeJSONEncoder.schemaVersion),\"traces\":[".utf8)
    for (index, trace) in traces.enumerated() {
      if index > 0 {
        if bytes.count >= mostBytes { break }
        bytes.append(UInt8(ascii: ","))
      }
      bytes += NativeJSONEncoder.encode(trace)
    }
    bytes += "]}".utf8
    return bytes
  }
}
