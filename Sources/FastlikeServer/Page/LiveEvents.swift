import FastlikeProfile
import Foundation
import Hummingbird

/// The stream that keeps an open index up to date (HTML Standard §9.2, server-sent events).
///
/// It looks at the store a few times a second, so that recording costs the same whether somebody watches or not, and a
/// burst of requests becomes one event. Rows and totals are sent as HTML made from the page's own templates. What a
/// page gets twice it knows by the request's id.
struct LiveEvents: Sendable {
  /// Time between two looks.
  static let interval = Duration.milliseconds(300)
  /// Most rows of one event.
  static let mostRows = 50
  /// Looks without news after which a comment is sent, so that a connection that is gone is noticed.
  static let quietLooks = 50

  let store: ProfileStore
  let templates: PageTemplates
  let request: Request

  private struct Row: Encodable {
    let id: UInt64
    let html: String
  }

  private struct State: Encodable {
    var summary: String?
    var inFlight: String?
    var routes: String?
    var range: String?

    var isEmpty: Bool { summary == nil && inFlight == nil && routes == nil && range == nil }
  }

  /// What a client has been sent.
  private struct Sent {
    var completed = -1
    var kept = -1
    var inFlight = ""
  }

  func response() -> Response {
    let body = ResponseBody { [self] writer in
      // The writer cannot leave this closure, so a stream carries the text to it.
      let (texts, continuation) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(4))
      let filter = RequestFilter(query: request.uri.query ?? "")
      try await request.body.consumeWithInboundCloseHandler { _ in
        let watching = Task { await watch(filter, into: continuation) }
        defer { watching.cancel() }
        for await text in texts { try await writer.write(ByteBuffer(string: text)) }
      } onInboundClosed: {
        continuation.finish()
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8"], body: body)
  }

  private func watch(_ filter: RequestFilter, into continuation: AsyncStream<String>.Continuation) async {
    var sent = Sent()
    var quiet = 0
    while !Task.isCancelled {
      let news = look(filter, &sent)
      quiet = news.isEmpty ? quiet + 1 : 0
      if !news.isEmpty {
        // A reader that is too slow misses events; the newest rows are sent anew then.
        if case .dropped = continuation.yield(news) { sent = Sent() }
      } else if quiet >= Self.quietLooks {
        continuation.yield(": still here\n\n")
        quiet = 0
      }
      do { try await Task.sleep(for: Self.interval) } catch { break }
    }
    continuation.finish()
  }

  /// What has changed since the last look, as events; empty when nothing has.
  private func look(_ filter: RequestFilter, _ sent: inout Sent) -> String {
    let completed = store.statistics.completed
    let running = store.inFlight()
    let kept = store.count
    guard completed != sent.completed || kept != sent.kept || !running.isEmpty || !sent.inFlight.isEmpty else {
      return ""
    }
    var state = State()
    var events = ""
    if completed != sent.completed || kept != sent.kept {
      let traces = store.recent()
      let view = IndexState(of: store, traces: traces)
      let new = sent.completed < 0 ? Self.mostRows : min(Self.mostRows, completed - sent.completed)
      let rows = traces.prefix(new).filter(filter.matches).map { Row(id: $0.id, html: templates.row(RequestRow($0))) }
      if !rows.isEmpty { events += Self.event("rows", rows) }
      state.summary = view.summary
      state.routes = templates.routes(view)
      state.range = IndexView(filter: filter, traces: traces, state: view).range
      sent.completed = completed
      sent.kept = kept
    }
    let inFlight = running.isEmpty ? "" : templates.inFlight(IndexState(of: store, traces: []))
    if inFlight != sent.inFlight {
      state.inFlight = inFlight
      sent.inFlight = inFlight
    }
    return state.isEmpty ? events : events + Self.event("state", state)
  }

  private static func event(_ name: String, _ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // JSON has no line's end outside of strings, and in them it is escaped, so one line of data holds it.
    guard let json = try? encoder.encode(value) else { return "" }
    return "event: \(name)\ndata: \(String(decoding: json, as: UTF8.self))\n\n"
  }
}
