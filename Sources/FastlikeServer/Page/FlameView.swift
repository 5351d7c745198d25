import FastlikeProfile

/// A choice of a page's form.
struct PageChoice {
  let value: String
  let title: String
  let isChosen: Bool
}

/// The flame graph of many requests, or of one.
struct FlameView {
  /// Most rows of the table of frames.
  private static let shown = 20

  struct Row {
    let name: String
    let detail: String
    let own: String
    let ownShare: String
    let total: String
  }

  let title: String
  let base = ""
  let heading: String
  let weights: [PageChoice]
  /// What the filter says, to be sent along with the form.
  let hidden: [PageChoice]
  let routeText: String
  let requestText: String
  let problems: [String]
  /// What is drawn, or why nothing is.
  let summary: String
  /// Markup of ``FlameSVG``; nil without anything to draw.
  let svg: String?
  let rows: [Row]
  let hasRows: Bool
  /// The same data for the script and for other programs.
  let dataLink: String
  let reportLink: String

  init(_ tree: FlameTree, _ filter: RequestFilter, request: UInt64?, problems: [String] = []) {
    let name = request.map { "request \($0)" } ?? (filter.route.isEmpty ? "all requests" : filter.route)
    title = "\(tree.weight.title) of \(name)"
    heading = title
    weights = FlameWeight.allCases.map {
      PageChoice(value: $0.rawValue, title: $0.title, isChosen: $0 == tree.weight)
    }
    routeText = filter.route
    requestText = request.map { String($0) } ?? ""
    hidden = filter.hiddenFields.map { PageChoice(value: $0.1, title: $0.0, isChosen: false) }
    self.problems = filter.problems + problems
    let requests = Figures.count(tree.requests, "request")
    summary =
      tree.isEmpty
      ? "Nothing to draw in \(requests): \(tree.weight.hint)."
      : "\(FlameSVG.amount(tree.total, tree.unit)) in \(requests). The heaviest is at the left; point at a box to see more."
    svg = tree.isEmpty ? nil : FlameSVG.fragment(of: tree)
    rows = tree.frameTotals().prefix(Self.shown).map {
      Row(
        name: $0.frame.name, detail: $0.frame.detail, own: FlameSVG.amount($0.own, tree.unit),
        ownShare: Figures.share($0.own, of: tree.total), total: FlameSVG.amount($0.total, tree.unit))
    }
    hasRows = !rows.isEmpty
    let query =
      filter.link(offset: 0) + "&weight=\(tree.weight.rawValue)" + (request.map { "&request=\($0)" } ?? "")
    dataLink = "flame.json" + query
    reportLink = "flame.svg" + query
  }
}
