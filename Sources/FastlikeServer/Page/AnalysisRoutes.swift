import FastlikeProfile
import Foundation
import Hummingbird

/// Many requests together: flame graphs and comparison.
extension PageRoutes {
  func addAnalysis(to router: Router<Context>) {
    router.get("flame") { request, _ in
      try await flame(request.uri.query ?? "") { PageAnswer.html(templates.flame(FlameView($0, $1, request: $2))) }
    }
    router.get("flame.json") { request, _ in
      // What is narrower than a ten-thousandth is not seen before a deep zoom, and would make the answer long.
      try await flame(request.uri.query ?? "") { tree, _, _ in
        PageAnswer.bytes(tree.json(leastShare: 0.0001), contentType: "application/json")
      }
    }
    router.get("flame.svg") { request, _ in
      try await flame(request.uri.query ?? "") { tree, filter, request in
        let view = FlameView(tree, filter, request: request)
        var response = PageAnswer.bytes(FlameSVG.document(of: tree, title: view.title), contentType: "image/svg+xml")
        response.headers[.contentDisposition] = "attachment; filename=\"flame.svg\""
        return response
      }
    }
    router.get("compare") { request, _ in try await compare(request.uri.query ?? "") }
  }

  private func flame(
    _ query: String, _ answer: (FlameTree, RequestFilter, UInt64?) -> Response
  ) async throws -> Response {
    try await withStore { store in
      var filter = RequestFilter(query: query)
      let fields = RequestFilter.fields(of: query)
      let isLimited = fields.contains { $0.name == "limit" }
      if !isLimited { filter.limit = filter.analysed }
      let weight = fields.last { $0.name == "weight" }.flatMap { FlameWeight(rawValue: $0.value) } ?? .cpu
      let request = fields.last { $0.name == "request" }.flatMap { UInt64($0.value) }
      var builder = FlameTree.Builder(weight: weight)
      if let request {
        if let trace = await find(request, in: store) { builder.add(trace) }
      } else {
        guard let traces = await traces(filter, of: store) else {
          return PageAnswer.text(.internalServerError, "the archive cannot be read")
        }
        for trace in traces { builder.add(trace) }
      }
      return answer(builder.finish(), filter, request)
    }
  }

  private func compare(_ query: String) async throws -> Response {
    try await withStore { store in
      let fields = RequestFilter.fields(of: query)
      let texts = ["a", "b"].map { name in fields.last { $0.name == name }?.value ?? "" }
      guard !texts[0].isEmpty || !texts[1].isEmpty else {
        return PageAnswer.html(
          templates.compare(CompareView(suggestionsFor: store.recent(RequestFilter.limits.upperBound))))
      }
      var sets: [(TraceSet, FlameTree.Builder)] = []
      var problems: [String] = []
      for (name, text) in zip(["before", "after"], texts) {
        var filter = RequestFilter(query: text)
        filter.limit = filter.analysed
        problems += filter.problems.map { "\(name): \($0)" }
        guard let traces = await traces(filter, of: store) else {
          return PageAnswer.text(.internalServerError, "the archive cannot be read")
        }
        var set = TraceSet.Builder(name: text)
        var flame = FlameTree.Builder(weight: .cpu)
        for trace in traces {
          set.add(trace)
          flame.add(trace)
        }
        sets.append((set.finish(), flame))
      }
      let view = CompareView(
        before: texts[0], after: texts[1], problems: problems,
        TraceComparison(before: sets[0].0, after: sets[1].0), FlameDifference(before: sets[0].1, after: sets[1].1))
      return PageAnswer.html(templates.compare(view))
    }
  }
}
