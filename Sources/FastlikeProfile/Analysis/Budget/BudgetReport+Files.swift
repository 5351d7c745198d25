extension BudgetReport {
  /// JUnit's XML, as build servers read it: a suite for each route, a case for each limit. A limit that could not be
  /// checked is an error, one that is broken a failure.
  public func junit() -> [UInt8] {
    var suites: [(route: String, lines: [Line])] = []
    for line in lines {
      let route = line.route.description
      if let index = suites.firstIndex(where: { $0.route == route }) {
        suites[index].lines.append(line)
      } else {
        suites.append((route, [line]))
      }
    }
    func counts(_ lines: [Line]) -> String {
      "tests=\"\(lines.count)\" failures=\"\(lines.count { $0.verdict == .broken })\" "
        + "errors=\"\(lines.count { $0.verdict == .unknown })\""
    }
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    xml += "<testsuites name=\"fastlike budget\" \(counts(lines))>\n"
    for suite in suites {
      xml += "  <testsuite name=\"\(XMLText.escaped(suite.route))\" \(counts(suite.lines))>\n"
      for line in suite.lines {
        let name = XMLText.escaped("\(line.limit.subject.name): \(line.bound)")
        xml += "    <testcase classname=\"budget \(XMLText.escaped(suite.route))\" name=\"\(name)\""
        let element = line.verdict == .broken ? "failure" : "error"
        xml +=
          line.verdict == .within ? "/>\n" : "><\(element) message=\"\(XMLText.escaped(line.sentence))\"/></testcase>\n"
      }
      xml += "  </testsuite>\n"
    }
    return Array((xml + "</testsuites>\n").utf8)
  }

  /// Markdown for the summary of a build, as GitHub shows it.
  public func markdown() -> String {
    var text = isKept ? "### Budget kept" : "### Budget broken"
    text += "\n\n\(Figures.count(requests, "request")), \(Figures.count(lines.count, "limit")), "
    text += "\(Figures.count(failures.count)) not kept\n\n"
    text += "| | route | what | measured | allowed | same everywhere |\n|---|---|---|---:|---|---|\n"
    for line in failures + lines.filter({ $0.verdict == .within }) {
      let mark = line.verdict == .within ? "✅" : line.verdict == .broken ? "❌" : "❔"
      let value = line.verdict == .unknown ? line.reason ?? line.limit.subject.missing : line.value
      let cells = [
        mark, Self.cell(line.route.description), Self.cell(line.limit.subject.name), Self.cell(value), line.bound,
        line.limit.subject.isDeterministic ? "yes" : "no",
      ]
      text += "| \(cells.joined(separator: " | ")) |\n"
    }
    return text + "\n"
  }

  /// Text without what means something in a table or is markup.
  private static func cell(_ text: String) -> String {
    var cell = ""
    for character in XMLText.escaped(text) {
      if "\\`*_[]|!~".contains(character) { cell.append("\\") }
      cell.append(character)
    }
    return cell
  }
}
