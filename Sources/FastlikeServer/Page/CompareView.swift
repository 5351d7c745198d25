import FastlikeProfile
import Foundation

/// Two sets of requests side by side, with verdicts.
struct CompareView {
  struct Row {
    let name: String
    let usesBefore: String
    let usesAfter: String
    let before: String
    let after: String
    let change: String
    let interval: String
    let verdict: String
    /// The class that gives the verdict its colour.
    let kind: String
  }

  struct Table {
    let title: String
    let rows: [Row]
    /// How many rows are left out; nil when none is.
    let hidden: String?
  }

  /// A comparison that is one click away.
  struct Suggestion {
    let link: String
    let title: String
  }

  let title = "Comparison"
  let base = ""
  let before: String
  let after: String
  let problems: [String]
  /// The answer; nil before two sets were named.
  let sentence: String?
  let sizes: String
  let method: String
  let tables: [Table]
  /// Markup of ``FlameSVG``; nil without anything to draw.
  let svg: String?
  let suggestions: [Suggestion]
  let hasSuggestions: Bool

  /// Nothing but the form, and what could be compared: each version of a program with the one before it, and what is new with
  /// what is not.
  /// - Parameter traces: The requests that are kept, newest first.
  init(suggestionsFor traces: [RequestTrace]) {
    (before, after, problems) = ("", "", [])
    sentence = nil
    (sizes, method, tables, svg) = ("", "", [], nil)
    var seen: Set<String> = []
    // The version of each program that was seen before, going back in time.
    var newer: [String: String] = [:]
    var pairs: [(name: String, new: String, old: String)] = []
    for trace in traces where !trace.moduleID.isEmpty && seen.insert(trace.moduleID).inserted {
      if let new = newer[trace.moduleName] { pairs.append((trace.moduleName, new, trace.moduleID)) }
      newer[trace.moduleName] = trace.moduleID
    }
    suggestions =
      pairs.prefix(5).map { name, new, old in
        Suggestion(
          link: "compare?a=module%3D\(Self.encoded(old))&b=module%3D\(Self.encoded(new))",
          title: "\(name) \(new.prefix(8)) with the version before, \(old.prefix(8))")
      } + [
        Suggestion(link: "compare?a=until%3D1m&b=since%3D1m", title: "the last minute with what was before"),
        Suggestion(link: "compare?a=until%3D10m&b=since%3D10m", title: "the last 10 minutes with what was before"),
      ]
    hasSuggestions = true
  }

  init(before: String, after: String, problems: [String], _ comparison: TraceComparison, _ flame: FlameDifference) {
    (self.before, self.after, self.problems) = (before, after, problems)
    sentence = comparison.sentence
    sizes =
      "\(Figures.count(comparison.requests.before, "request")) before, \(Figures.count(comparison.requests.after)) after"
    method =
      "Medians; means for functions and counts. 95 % intervals from \(Figures.count(comparison.options.resamples)) draws, "
      + "seed \(comparison.options.seed)."
    tables = comparison.tables.map(Self.table)
    svg = flame.isEmpty ? nil : flame.fragment()
    (suggestions, hasSuggestions) = ([], false)
  }

  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  private static func table(_ table: TraceComparison.Table) -> Table {
    let rows = table.rows.map { row in
      let kind =
        switch row.verdict {
        case .slower: "warn"
        case .faster: "good"
        default: "quiet"
        }
      return Row(
        name: row.figure.name, usesBefore: Figures.count(row.before.uses), usesAfter: Figures.count(row.after.uses),
        before: TraceComparison.value(row.before.center, of: row.figure),
        after: TraceComparison.value(row.after.center, of: row.figure),
        change: row.change.map(TraceComparison.percent) ?? "–",
        interval: row.interval.map(TraceComparison.range) ?? "–", verdict: row.verdict.rawValue, kind: kind)
    }
    return Table(
      title: table.family.title, rows: rows, hidden: table.hidden > 0 ? Figures.count(table.hidden, "more row") : nil)
  }
}
