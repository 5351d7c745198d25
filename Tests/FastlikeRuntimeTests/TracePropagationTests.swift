import FastlikeProfile
import Testing

@testable import FastlikeRuntime

@Suite struct TracePropagationTests {
  private static let clients = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
  private static let own = "00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01"

  private func carried(client: [(String, String)], guest: [(String, String)]) -> [String] {
    var headers = HeaderList(guest)
    TracePropagation.carry(Self.own, from: HeaderList(client), to: &headers)
    return (0..<headers.count).map { index in
      String(decoding: headers.name(at: index) + [0x3D] + headers.value(at: index), as: UTF8.self)
    }
  }

  @Test func aRequestIsBelowItsClientsSpan() {
    let context = TracePropagation.context(
      of: HeaderList([("TraceParent", " \(Self.clients) ")]), sampler: TraceContextSampler())
    #expect(context.traceID == "0af7651916cd43dd8448eb211c80319c")
    #expect(context.parentSpanID == 0x00F0_67AA_0BA9_02B7)
  }

  @Test(arguments: [[], [("traceparent", "nonsense")], [("traceparent", clients), ("traceparent", clients)]])
  func withoutOneTraceparentATraceBegins(headers: [(String, String)]) {
    let context = TracePropagation.context(of: HeaderList(headers), sampler: TraceContextSampler())
    #expect(context.parentSpanID == nil)
    #expect(context.isSampled)
  }

  @Test func aBackendGetsTheSpanOfItsCall() {
    #expect(carried(client: [], guest: [("a", "b")]) == ["a=b", "traceparent=\(Self.own)"])
  }

  @Test func theClientsStateGoesWithIt() {
    #expect(
      carried(client: [("traceparent", Self.clients), ("tracestate", "x=1"), ("tracestate", "y=2")], guest: [])
        == ["traceparent=\(Self.own)", "tracestate=x=1", "tracestate=y=2"])
  }

  @Test func whatTheGuestOnlyPassedOnIsReplaced() {
    let client = [("traceparent", Self.clients), ("tracestate", "x=1")]
    #expect(carried(client: client, guest: client) == ["traceparent=\(Self.own)", "tracestate=x=1"])
  }

  @Test func aTraceparentOfTheGuestsOwnStays() {
    let guests = "00-0af7651916cd43dd8448eb211c80319c-2222222222222222-01"
    #expect(
      carried(client: [("traceparent", Self.clients), ("tracestate", "x=1")], guest: [("Traceparent", guests)])
        == ["Traceparent=\(guests)"])
  }
}
