/// Draws flame graphs as SVG that needs no script: every box tells by its title what it is.
public enum FlameSVG {
  /// The height of a row in the drawing's own units, which are pixels at full size.
  static let rowHeight = 18.0
  /// The advance of a character in the font that is used, which has one width for all.
  private static let characterWidth = 6.7
  private static let headerHeight = 48.0

  /// The rules for the classes of the boxes. They are the same in a light and a dark page, since the text in the boxes is
  /// dark in both.
  public static let styles: String = {
    let hues: [(FlameFrame.Kind, hue: Int, saturation: Int)] = [
      (.root, 220, 10), (.guest, 34, 90), (.host, 205, 55), (.kernel, 275, 45), (.unknown, 220, 8), (.route, 190, 40),
      (.hostcall, 212, 70), (.label, 150, 40), (.cause, 50, 75),
    ]
    var rules = [
      ".flame{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}",
      ".flame rect{stroke:var(--flame-gap,#fff);stroke-width:.5}", ".flame text{fill:#14181f;pointer-events:none}",
    ]
    for (kind, hue, saturation) in hues {
      for shade in 0..<3 {
        rules.append(
          ".flame .k-\(kind.rawValue).h\(shade){fill:hsl(\(hue + shade * 4),\(saturation)%,\(66 + shade * 6)%)}")
      }
    }
    for step in 1...3 {
      rules.append(".flame .more\(step){fill:hsl(6,\(60 + step * 8)%,\(90 - step * 8)%)}")
      rules.append(".flame .less\(step){fill:hsl(212,\(50 + step * 8)%,\(90 - step * 8)%)}")
    }
    rules.append(".flame .same{fill:hsl(220,10%,84%)}")
    return rules.joined(separator: "\n")
  }()

  /// A file of its own.
  /// - Parameter title: What is drawn, such as the route.
  public static func document(of tree: FlameTree, title: String) -> [UInt8] {
    let subtitle =
      tree.isEmpty
      ? "\(Figures.count(tree.requests, "request")), and \(tree.weight.hint)"
      : "\(amount(tree.total, tree.unit)) in \(Figures.count(tree.requests, "request")); "
        + "width is \(tree.weight.phrase), the heaviest at the left"
    return document(Drawing(tree), title: title, subtitle: subtitle)
  }

  /// A part of an HTML page that has ``styles``.
  public static func fragment(of tree: FlameTree) -> String { fragment(Drawing(tree)) }

  static func document(_ drawing: Drawing, title: String, subtitle: String) -> [UInt8] {
    let height = headerHeight + Double(max(1, drawing.layout.rows)) * rowHeight + 8
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" class="page" width="\(number(drawing.layout.width + 16))" \
      height="\(number(height))" viewBox="-8 0 \(number(drawing.layout.width + 16)) \(number(height))" role="img" \
      aria-label="\(XMLText.escaped(title))">
      <style>
      \(styles)
      .page{--paper:#fff;--ink:#14181f;background:var(--paper)}
      .paper{fill:var(--paper)} .head{fill:var(--ink);font:600 15px system-ui,sans-serif}
      .sub{fill:var(--ink);font:12px system-ui,sans-serif}
      @media (prefers-color-scheme:dark){.page{--paper:#14181f;--ink:#e6e9ef;--flame-gap:#14181f}}
      </style>
      <rect class="paper" x="-8" y="0" width="\(number(drawing.layout.width + 16))" height="\(number(height))"/>
      <text class="head" x="0" y="20">\(XMLText.escaped(title))</text>
      <text class="sub" x="0" y="38">\(XMLText.escaped(subtitle))</text>

      """
    svg += "<g class=\"flame\" transform=\"translate(0 \(number(headerHeight)))\">\n"
    append(drawing, to: &svg)
    svg += "</g>\n</svg>\n"
    return Array(svg.utf8)
  }

  static func fragment(_ drawing: Drawing) -> String {
    let height = Double(max(1, drawing.layout.rows)) * rowHeight
    var svg = """
      <svg class="flame" viewBox="0 0 \(number(drawing.layout.width)) \(number(height))" role="img" \
      aria-label="flame graph">

      """
    append(drawing, to: &svg)
    svg += "</svg>"
    return svg
  }

  private static func append(_ drawing: Drawing, to svg: inout String) {
    for box in drawing.layout.boxes {
      let look = drawing.look(box.node)
      let y = Double(box.depth) * rowHeight
      svg += "<g><title>\(XMLText.escaped(look.tip))</title>"
      svg += "<rect class=\"\(look.style)\" x=\"\(number(box.x))\" y=\"\(number(y))\" width=\"\(number(box.width))\""
      svg += " height=\"\(number(rowHeight - 1))\" rx=\"1\"/>"
      if let text = fitting(look.name, in: box.width) {
        svg += "<text x=\"\(number(box.x + 3))\" y=\"\(number(y + 12.5))\">\(XMLText.escaped(text))</text>"
      }
      svg += "</g>\n"
    }
  }

  /// The text that fits into a box; nil when none does.
  private static func fitting(_ text: String, in width: Double) -> String? {
    let room = Int((width - 6) / characterWidth)
    guard room >= 3 else { return nil }
    // Names from files may be long, and only their beginning is looked at.
    let start = text.prefix(room + 1)
    return start.count <= room ? String(start) : start.prefix(room - 1) + "…"
  }

  /// With at most two digits behind the point, as short as it goes.
  private static func number(_ value: Double) -> String {
    let scaled = Int64((value * 100).rounded())
    let (whole, rest) = scaled.magnitude.quotientAndRemainder(dividingBy: 100)
    let sign = scaled < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    if rest.isMultiple(of: 10) { return "\(sign)\(whole).\(rest / 10)" }
    return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// A weight in words.
  package static func amount(_ weight: Int64, _ unit: FlameTree.Unit) -> String {
    switch unit {
    case .nanoseconds: Figures.duration(weight)
    case .samples: Figures.count(Int(clamping: weight), "sample")
    }
  }
}

/// What is drawn: boxes, and how each of them looks.
struct FlameDrawing {
  struct Look {
    var name: String
    /// Classes of ``FlameSVG/styles``.
    var style: String
    var tip: String
  }

  let layout: FlameLayout
  let look: (Int32) -> Look
}

extension FlameSVG {
  typealias Drawing = FlameDrawing
}

extension FlameDrawing {
  init(_ tree: FlameTree, width: Double = 1200) {
    layout = FlameLayout(of: tree, width: width)
    look = { index in
      let node = tree.nodes[Int(index)]
      let frame = tree.frames[Int(node.frame)]
      var tip = frame.detail.isEmpty ? frame.name : "\(frame.name) · \(frame.detail)"
      tip += ": \(FlameSVG.amount(node.total, tree.unit)) (\(Figures.share(node.total, of: tree.total)))"
      if node.own > 0, node.own != node.total { tip += ", itself \(FlameSVG.amount(node.own, tree.unit))" }
      return Look(name: frame.name, style: "k-\(frame.kind.rawValue) h\(Self.shade(of: frame.name))", tip: tip)
    }
  }

  /// Neighbours are told apart by shades that depend on the name alone (FNV-1a).
  static func shade(of name: String) -> Int {
    var hash: UInt32 = 2_166_136_261
    for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    return Int(hash % 3)
  }
}
