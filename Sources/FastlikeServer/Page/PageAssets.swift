import FastlikeProfile
import Mustache

/// The files that browsers fetch beside the pages.
struct PageAsset {
  let contentType: String
  let bytes: [UInt8]

  /// The file of a name; nil when there is none.
  static func named(_ name: String) -> PageAsset? {
    switch name {
    case "page.css": PageAsset(contentType: "text/css; charset=utf-8", bytes: PackageResources.page_css)
    case "flame.css": PageAsset(contentType: "text/css; charset=utf-8", bytes: Array(FlameSVG.styles.utf8))
    case "flame.js": script(PackageResources.flame_js)
    case "icon.svg": PageAsset(contentType: "image/svg+xml", bytes: PackageResources.icon_svg)
    case "index.js": script(PackageResources.index_js)
    case "model.js": script(PackageResources.model_js)
    case "page.js": script(PackageResources.page_js)
    case "request.js": script(PackageResources.request_js)
    case "timeline.js": script(PackageResources.timeline_js)
    default: nil
    }
  }

  private static func script(_ bytes: [UInt8]) -> PageAsset {
    PageAsset(contentType: "text/javascript; charset=utf-8", bytes: bytes)
  }
}

/// Turns view models into HTML. Templates escape everything that they insert.
struct PageTemplates: Sendable {
  private let library: MustacheLibrary

  /// - Throws: What the parser says of a template that it cannot read; a test renders all of them.
  init() throws {
    let sources = [
      ("head", PackageResources.head_mustache), ("bar", PackageResources.bar_mustache),
      ("row", PackageResources.row_mustache), ("inflight", PackageResources.inflight_mustache),
      ("routes", PackageResources.routes_mustache), ("index", PackageResources.index_mustache),
      ("request", PackageResources.request_mustache), ("message", PackageResources.message_mustache),
      ("stores", PackageResources.stores_mustache), ("flame", PackageResources.flame_mustache),
      ("compare", PackageResources.compare_mustache),
    ]
    var library = MustacheLibrary()
    for (name, bytes) in sources {
      var text = String(decoding: bytes, as: UTF8.self)
      // A file ends with a line's end, which has no place between the cells of a table.
      if text.hasSuffix("\n") { text.removeLast() }
      try library.register(text, named: name)
    }
    self.library = library
  }

  func index(_ view: IndexView) -> String { render(view, "index") }

  func request(_ view: RequestView) -> String { render(view, "request") }

  func stores(_ view: StoresView) -> String { render(view, "stores") }

  func flame(_ view: FlameView) -> String { render(view, "flame") }

  func compare(_ view: CompareView) -> String { render(view, "compare") }

  /// A row of the index alone, for a page that is open already.
  func row(_ row: RequestRow) -> String { render(row, "row") }

  /// The requests that are running.
  func inFlight(_ state: IndexState) -> String { render(state, "inflight") }

  /// The totals of the routes.
  func routes(_ state: IndexState) -> String { render(state, "routes") }

  /// A page that says one thing.
  /// - Parameter base: What leads from the page's address to the index: empty, or `../`.
  func message(title: String, text: String, base: String) -> String {
    struct Message {
      let title: String
      let text: String
      let base: String
    }
    return render(Message(title: title, text: text, base: base), "message")
  }

  private func render(_ view: Any, _ name: String) -> String { library.render(view, withTemplate: name) ?? "" }
}
