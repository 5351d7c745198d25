import FastlikeProfile

/// A comparison as tables for people.
struct ComparisonText {
  /// Longer names are cut, so that a row stays a line.
  private static let nameWidth = 44

  let comparison: TraceComparison

  init(_ comparison: TraceComparison) { self.comparison = comparison }

  var text: String {
    var lines = [
      comparison.sentence, "",
      "A  \(TraceText.printable(comparison.names.before)): \(TraceText.count(comparison.requests.before, "request"))",
      "B  \(TraceText.printable(comparison.names.after)): \(TraceText.count(comparison.requests.after, "request"))",
    ]
    for table in comparison.tables { lines += ["", table.family.title] + rows(of: table) }
    let options = comparison.options
    lines += [
      "",
      "Medians; means for functions and counts. 95 % intervals from \(options.resamples) draws of blocks of neighbouring "
        + "requests, seed \(options.seed).",
      "Verdicts: beyond \(Figures.fixed(options.threshold * 100, digits: 1)) % of time, at a level of "
        + "\(Figures.fixed(options.significance * 100, digits: 1)) % for each table (Holm).",
    ]
    return lines.joined(separator: "\n")
  }

  private func rows(of table: TraceComparison.Table) -> [String] {
    let isCounted = [.hostcall, .backend, .function].contains(table.family)
    let title = table.family == .function ? "samples" : "calls"
    var columns: [TraceTable.Column] = [.text("name")]
    if isCounted { columns += [.number("\(title) A"), .number("B"), .number("share A"), .number("B")] }
    columns += [.number("A"), .number("B"), .number("change"), .text("95 % interval"), .text("verdict")]
    var text = TraceTable(columns: columns)
    text.rows = table.rows.map { row in
      var cells = [TraceText.printable(row.figure.name, limit: Self.nameWidth)]
      if isCounted {
        cells += [
          String(row.before.uses), String(row.after.uses), Self.share(row.before.share), Self.share(row.after.share),
        ]
      }
      return cells + [
        TraceComparison.value(row.before.center, of: row.figure),
        TraceComparison.value(row.after.center, of: row.figure),
        row.change.map(TraceComparison.percent) ?? TraceText.none,
        row.interval.map(TraceComparison.range) ?? TraceText.none, row.verdict.rawValue,
      ]
    }
    return text.lines(indent: "  ") + (table.hidden > 0 ? ["  … and \(table.hidden) more"] : [])
  }

  private static func share(_ share: Double) -> String { Figures.fixed(share * 100, digits: 1) + " %" }
}
