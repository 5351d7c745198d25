/// A trace's place in a distributed trace.
struct DecodedTraceContext: Decodable {
  let context: TraceContext

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: NativeJSONKey.self)
    let trace = try object.text(.traceID)
    guard trace.utf8.count == 32,
      let parsed = TraceContext(traceparent: "00-\(trace)-\(try object.text(.spanID))-00".utf8),
      let span = parsed.parentSpanID
    else { throw object.refused(.traceID, "is with its span_id no place in a trace: 32 and 16 hexadecimal digits") }
    let parent = try object.text(.parentSpanID)
    guard parent.isEmpty || TraceContext.id(parent) != nil else {
      throw object.refused(.parentSpanID, "is no id of 16 hexadecimal digits")
    }
    context = TraceContext(
      traceHigh: parsed.traceHigh, traceLow: parsed.traceLow, spanID: span, parentSpanID: TraceContext.id(parent),
      flags: UInt8(truncatingIfNeeded: try object.number(.flags)) & 3)
  }
}
