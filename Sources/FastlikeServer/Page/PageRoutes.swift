import FastlikeProfile
import Foundation
import Hummingbird

/// What the page answers to which address.
struct PageRoutes: Sendable {
  typealias Context = BasicRequestContext

  /// nil when nothing is recorded.
  let store: ProfileStore?
  /// Where traces are looked for that the store keeps no more.
  let archive: TraceArchive?
  /// What became of pushed spans.
  let pushed: (@Sendable () -> MetricsSnapshot.Push)?
  let authorization: ProfilePageAuthorization
  let templates: PageTemplates
  let stores: StoreRoutes
  private let samples = SampleImport()

  init(
    store: ProfileStore?, archive: TraceArchive?, pushed: (@Sendable () -> MetricsSnapshot.Push)?,
    authorization: ProfilePageAuthorization, templates: PageTemplates, stores: StoreRoutes
  ) {
    self.stores = stores
    self.store = store
    self.archive = archive
    self.pushed = pushed
    self.authorization = authorization
    self.templates = templates
  }

  func router() -> Router<Context> {
    let router = Router(context: Context.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: PageGuard(authorization: authorization, allowsChanges: stores.isOpen))
    router.get("/") { request, _ in
      try await withStore { try await index($0, RequestFilter(query: request.uri.query ?? "")) }
    }
    router.get("r/{name}") { _, context in
      let name = context.parameters.get("name") ?? ""
      return try await withStore { try await self.request($0, name: name) }
    }
    router.get("api/traces") { request, _ in
      try await withStore { try listing($0, RequestFilter(query: request.uri.query ?? "")) }
    }
    router.get("api/traces.json") { request, _ in
      try await withStore { try await bundle($0, RequestFilter(query: request.uri.query ?? "")) }
    }
    router.post(PageGuard<Context>.samplesPath) { request, _ in
      try await withStore { try await samples.answer(request, store: $0, archive: archive) }
    }
    // Two names for one stream: the first is part of the interface for programs, the second is short.
    for path in ["api/live", "events"] as [RouterPath] {
      router.get(path) { request, _ in
        try await withStore { LiveEvents(store: $0, templates: templates, request: request).response() }
      }
    }
    router.get("assets/{name}") { _, context in
      guard let asset = PageAsset.named(context.parameters.get("name") ?? "") else {
        return PageAnswer.text(.notFound, "the page has no such file")
      }
      return PageAnswer.bytes(asset.bytes, contentType: asset.contentType)
    }
    ScrapeRoutes(store: store, archive: archive, pushed: pushed).add(to: router)
    addAnalysis(to: router)
    stores.add(to: router)
    PurgeRoute(inventory: stores.inventory).add(to: router)
    router.get("healthz") { _, _ in PageAnswer.text(.ok, "ok") }
    return router
  }

  func withStore(_ answer: (ProfileStore) async throws -> Response) async throws -> Response {
    guard let store else {
      return PageAnswer.html(
        templates.message(
          title: "Nothing is recorded", text: "The profile mode is off; start with --profile trace to see requests.",
          base: ""),
        status: .serviceUnavailable)
    }
    return try await answer(store)
  }

  private func index(_ store: ProfileStore, _ filter: RequestFilter) async throws -> Response {
    let traces = store.recent()
    let state = IndexState(of: store, traces: traces)
    guard filter.isArchive, let archive else {
      let view = IndexView(filter: filter, traces: traces, state: state, hasArchive: archive != nil)
      return PageAnswer.html(templates.index(view))
    }
    let query = filter.archiveQuery(limit: filter.limit + 1)
    guard let entries = await Self.reading({ try archive.search(query) }) else {
      return PageAnswer.text(.internalServerError, "the archive cannot be read")
    }
    return PageAnswer.html(
      templates.index(IndexView(filter: filter, entries: entries, traces: traces, state: state)))
  }

  /// Reads from the archive's files where waiting for them holds nobody up; nil when they cannot be read.
  private static func reading<Value: Sendable>(_ read: @escaping @Sendable () throws -> Value) async -> Value? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: try? read()) }
    }
  }

  private func listing(_ store: ProfileStore, _ filter: RequestFilter) throws -> Response {
    if filter.isArchive {
      return PageAnswer.text(.badRequest, "from: the archive is listed on the page, and by `fastlike trace list`")
    }
    guard filter.problems.isEmpty else {
      return PageAnswer.text(.badRequest, filter.problems.joined(separator: "; "))
    }
    let listing = TraceListing(
      filter: filter, traces: store.recent(), running: store.inFlight(), completed: store.statistics.completed,
      mode: store.mode)
    return PageAnswer.bytes(try listing.encoded(), contentType: "application/json")
  }

  /// Whole traces in the native schema, newest first: what the commands that take many requests together read.
  private func bundle(_ store: ProfileStore, _ filter: RequestFilter) async throws -> Response {
    guard filter.problems.isEmpty else {
      return PageAnswer.text(.badRequest, filter.problems.joined(separator: "; "))
    }
    guard let set = await traces(filter, of: store) else {
      return PageAnswer.text(.internalServerError, "the archive cannot be read")
    }
    return PageAnswer.bytes(TraceBundle.encode(set), contentType: "application/json")
  }

  /// The traces that a filter means, from its offset up to its limit; nil when the archive cannot be read.
  func traces(_ filter: RequestFilter, of store: ProfileStore) async -> [RequestTrace]? {
    guard filter.isArchive, let archive else {
      return Array(filter.select(store.recent()).dropFirst(filter.offset).prefix(filter.limit))
    }
    return await Self.reading {
      let entries = try archive.search(filter.archiveQuery(limit: filter.limit))
      // A record that is damaged, or went meanwhile, costs only itself.
      return entries.compactMap { (try? archive.trace(id: $0.id)) ?? nil }
    }
  }

  /// A request's page or one of its exports.
  /// - Parameter name: The id, and the suffix of a format.
  private func request(_ store: ProfileStore, name: String) async throws -> Response {
    guard let (id, format) = Self.parse(name) else {
      return PageAnswer.text(.notFound, "there is no such page or export of a request")
    }
    guard let trace = await find(id, in: store) else {
      let text =
        "Request \(id) is not here: it was never recorded, is still running, or newer ones took its place "
        + "(the last \(store.retain) are kept)."
      return PageAnswer.html(templates.message(title: "Not found", text: text, base: "../"), status: .notFound)
    }
    if let format { return PageAnswer.export(trace, as: format) }
    let view = RequestView(trace, ids: store.recentIDs(), needsToken: authorization.requiresToken)
    return PageAnswer.html(templates.request(view))
  }

  func find(_ id: UInt64, in store: ProfileStore) async -> RequestTrace? {
    if let trace = store.trace(id: id) { return trace }
    guard let archive else { return nil }
    // An archive that cannot be read is as good as one that does not have the trace.
    return await Self.reading { try archive.trace(id: id) } ?? nil
  }

  /// Reads `12` or `12.firefox.json`; nil for anything else.
  static func parse(_ name: String) -> (id: UInt64, format: TraceExportFormat?)? {
    let digits = name.prefix { $0.isASCII && $0.isNumber }
    guard let id = UInt64(digits), String(id) == digits else { return nil }
    let suffix = name.dropFirst(digits.count)
    if suffix.isEmpty { return (id, nil) }
    guard let format = TraceExportFormat.allCases.first(where: { $0.pageSuffix == suffix }) else { return nil }
    return (id, format)
  }
}

extension IndexState {
  /// The state of a store right now.
  /// - Parameter traces: All that it keeps, newest first.
  init(of store: ProfileStore, traces: [RequestTrace]) {
    self.init(
      traces: traces, running: store.inFlight(), statistics: store.statistics, mode: store.mode,
      now: Int64(Date().timeIntervalSince1970 * 1e9))
  }
}
