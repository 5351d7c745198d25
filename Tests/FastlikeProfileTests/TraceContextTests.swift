import Testing

@testable import FastlikeProfile

struct TraceContextTests {
  private static let valid = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"

  @Test func aTraceparentIsTheParent() throws {
    let context = try #require(TraceContext(traceparent: Self.valid.utf8))
    #expect(context.traceID == "0af7651916cd43dd8448eb211c80319c")
    #expect(context.parentSpanID == 0x00F0_67AA_0BA9_02B7)
    #expect(context.isSampled)
    #expect(context.spanID != 0)
    #expect(TraceContext(traceparent: Self.valid.utf8)?.spanID != context.spanID)
  }

  @Test(arguments: [
    "", "00", valid.uppercased(), valid + "-", valid + "x", "ff" + valid.dropFirst(2),
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319g-00f067aa0ba902b7-01",
    "00_0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
    "0g" + valid.dropFirst(2),
  ])
  func whatIsNoTraceparentIsNone(value: String) {
    #expect(TraceContext(traceparent: value.utf8) == nil)
  }

  @Test func newerVersionsMayHaveMoreParts() {
    #expect(TraceContext(traceparent: ("01" + Self.valid.dropFirst(2) + "-more").utf8) != nil)
    #expect(TraceContext(traceparent: ("01" + Self.valid.dropFirst(2) + "more").utf8) == nil)
  }

  @Test func aBackendGetsTheCallsSpan() throws {
    var context = TraceContext(traceHigh: 1, traceLow: 2, spanID: 3, flags: 0)
    let call = context.spanID(ofCall: 4)
    #expect(context.traceparent(ofCall: 4) == "00-00000000000000010000000000000002-\(TraceContext.text(call))-00")
    #expect(context.traceparent(ofCall: nil).hasSuffix("-0000000000000003-00"))
    context.isSampled = true
    #expect(context.traceparent(ofCall: nil).hasSuffix("-01"))
    let sent = try #require(TraceContext(traceparent: context.traceparent(ofCall: 4).utf8))
    #expect(sent.parentSpanID == call)
  }

  @Test func aClientsChoiceIsTakenOverUnlessItIsNotAskedFor() throws {
    var context = try #require(TraceContext(traceparent: (Self.valid.dropLast(2) + "00").utf8))
    TraceContextSampler().decide(&context)
    #expect(!context.isSampled)
    TraceContextSampler(ratio: 1, followsParent: false).decide(&context)
    #expect(context.isSampled)
  }

  @Test func aShareOfTheTracesThatBeginHereIsSampled() {
    let sampler = TraceContextSampler(ratio: 0.25)
    let sampled = (0..<4000).count { _ in
      var context = TraceContext.root()
      sampler.decide(&context)
      return context.isSampled
    }
    #expect((800...1200).contains(sampled))
    var context = TraceContext.root()
    TraceContextSampler(ratio: 0).decide(&context)
    #expect(!context.isSampled)
  }

  @Test func aTraceKeepsItsPlaceInTheNativeJSON() throws {
    var trace = TraceFixture.normalTrace()
    trace.context = TraceContext(traceHigh: 1, traceLow: .max, spanID: 7, parentSpanID: 9, flags: 1)
    let read = try NativeJSONDecoder.decode(NativeJSONEncoder.encode(trace))
    #expect(read.first?.context == trace.context)
  }
}
